/**
 * Sweep: contracts for which a time has come. Those whose grace is over, and ended ones whose clean-up came
 * to a halt, get their mail again; those that nobody answered are paused, ended ones archived, archived ones
 * deleted.
 *
 * Law: by the database's clock and the rows alone; hint and scan do the same work; a contract that was mailed a
 * short while ago is left alone.
 */
import { contractsDue, contractsToClean } from '@makima/db/repo/contract-timers';
import { reading } from '@makima/db/tx';
import { act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { archiveEnded } from './archive.ts';
import { pauseUnanswered } from './input-timeout.ts';
import { deleteArchived } from './remove.ts';

/** So long the last mail may take before another is sent. */
const patienceMs = 30_000;

export async function runContractTimers(
  engine: Engine,
  input: { limit?: number } = {},
): Promise<number> {
  const due = await reading(
    engine.database,
    contractsToClean(engine.database.sql, {
      graceMs: engine.settings.completionGraceMs,
      patienceMs,
      limit: input.limit ?? 100,
    }),
  );
  await eachRow(due, async (contract) => {
    const caller = { kind: 'system', ownerId: contract.ownerId, name: 'contract-timers' } as const;
    await act(engine, { caller }, async (a) => {
      const fence = `timer-${a.now.getTime().toString(36)}`;
      a.mail('clean-contract', { contractId: contract.id }, { entityId: contract.id, fence });
    });
  });
  return due.length + (await runDue(engine, input.limit ?? 100));
}

async function runDue(engine: Engine, limit: number): Promise<number> {
  const { inputTimeoutMs, archiveAfterMs, archiveRetentionMs } = engine.settings;
  const due = await reading(
    engine.database,
    contractsDue(engine.database.sql, {
      unansweredMs: inputTimeoutMs,
      archiveMs: archiveAfterMs,
      deleteMs: archiveRetentionMs,
      limit,
    }),
  );
  await eachRow(due, async ({ id, ownerId, kind }) => {
    const caller = { kind: 'system', ownerId, name: 'contract-timers' } as const;
    if (kind === 'unanswered') return pauseUnanswered(engine, caller, { id });
    return kind === 'archive'
      ? archiveEnded(engine, caller, { id })
      : deleteArchived(engine, caller, { id });
  });
  return due.length;
}
