/** Whether a contract advances and completes by itself, or asks (M1.8). */
import type { ContractDetail } from '@makima/contracts/entity/contract';
import { isTerminal } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { lockedContract, requirePerson } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { contractDetail } from './get.ts';
import { updateContract } from './update.ts';

export function setAutoComplete(
  engine: Engine,
  call: Call,
  input: { id: string; enabled: boolean },
): Promise<Acted<ContractDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'change contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    if (isTerminal(contract.status)) {
      throw new MakimaError('INVALID_TRANSITION', `this contract is ${contract.status} already`);
    }
    const row = await updateContract(a, contract, { autoCompleteEnabled: input.enabled });
    return contractDetail(engine, a.tx, row);
  });
}
