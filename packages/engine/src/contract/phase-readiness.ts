/** Whether the present phase may be left, and what is missing (M1.7). */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { phaseReadiness as endpoint } from '@makima/contracts/http/contracts';
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
        missing: readiness.missing.map(presentMissing),
        auto_advance_enabled: advancesByItself(engine, contract),
      };
    })(),
  );
}

/** By the installation's setting and the contract's own switch. */
export function advancesByItself(
  engine: Engine,
  contract: Pick<ContractRow, 'autoCompleteEnabled'>,
): boolean {
  return engine.settings.autoAdvancePhases && contract.autoCompleteEnabled;
}
