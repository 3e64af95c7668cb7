/** A contract that ended long ago is archived: by the time that the installation sets, with nobody's word. */
import { lockContract } from '@makima/db/repo/contracts';
import { act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { moveContract } from './move.ts';

/** Answers whether it was archived now. */
export function archiveEnded(
  engine: Engine,
  caller: System,
  input: { id: string },
): Promise<Acted<boolean>> {
  return act(engine, { caller }, async (a) => {
    const { archiveAfterMs } = engine.settings;
    const contract = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: input.id,
      strength: 'update',
    });
    const ended = contract?.status === 'completed' || contract?.status === 'failed';
    if (contract === undefined || !ended || archiveAfterMs === null) return false;
    if (contract.statusChangedAt.getTime() + archiveAfterMs > a.now.getTime()) return false;
    const row = await moveContract(a, contract, {
      to: 'archived',
      reason: `it was ${contract.status} long ago`,
    });
    const fence = `archived-${row.version}`;
    a.mail('clean-contract', { contractId: row.id }, { entityId: row.id, fence });
    return true;
  });
}
