/** Whether the present phase may be left, and what is missing (M1.7). */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { phaseReadiness as endpoint } from '@makima/contracts/http/contracts';
import { advancesByType } from '@makima/domain/contract-type';
import { reading } from '@makima/db/tx';
import type { ContractRow } from '@makima/db/rows';
import { readableContract } from '../authorize.ts';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { presentMissing } from './change-phase.ts';
import { gateOf } from './gate.ts';

export type PhaseReadiness = ResponseOf<typeof endpoint>;

export async function phaseReadiness(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<PhaseReadiness> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const { readiness } = await gateOf(sql, contract);
      return {
        phase: contract.phase,
        ready: readiness.ready,
        no_gate: readiness.noGate,
        missing: readiness.missing.map(presentMissing),
        auto_advance_enabled: advancesByItself(engine, contract),
      };
    })(),
  );
}

/** By the installation's setting, the contract's own switch and the gate of its phase. */
export function advancesByItself(
  engine: Engine,
  contract: Pick<ContractRow, 'autoCompleteEnabled' | 'contractType' | 'phase'>,
): boolean {
  const { contractType, phase, autoCompleteEnabled } = contract;
  return (
    engine.settings.features.autoComplete &&
    engine.settings.autoAdvancePhases &&
    autoCompleteEnabled &&
    advancesByType(contractType, phase)
  );
}

/** By the installation's settings, the contract's own switch, and the guard of its phase. */
export function completesByItself(
  engine: Engine,
  contract: Pick<ContractRow, 'autoCompleteEnabled' | 'guardedPhases' | 'phase'>,
): boolean {
  const { autoCompleteEnabled, features } = engine.settings;
  return (
    features.autoComplete &&
    autoCompleteEnabled &&
    contract.autoCompleteEnabled &&
    !contract.guardedPhases.includes(contract.phase)
  );
}
