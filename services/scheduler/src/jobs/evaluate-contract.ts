/**
 * Job `evaluate-contract`: look at a contract after something in it changed: readiness, auto-advance,
 * completion.
 *
 * Law: the verb reads everything it needs; a repetition finds nothing left to do.
 */
import type { JobHandler } from '@makima/bus/delivery';
import { evaluateContract as evaluate } from '@makima/engine/contract/evaluate';
import type { Engine } from '@makima/engine/context';

export function evaluateContract(engine: Engine): JobHandler<'evaluate-contract'> {
  return async ({ ownerId, contractId }, { log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'evaluate-contract' };
    const { result } = await evaluate(engine, caller, { contractId });
    if (result !== 'nothing') log.info({ contractId, outcome: result }, 'contract evaluated');
  };
}
