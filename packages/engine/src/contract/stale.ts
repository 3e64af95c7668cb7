/**
 * Sweep: contracts that have become stale get one incident, told once; when they move again, rest on purpose
 * or end, it is closed, once.
 *
 * Law: decided under the contract's lock by the domain's rule and the database's clock. What is told is no
 * progress: a stale contract stays stale until something in it moves.
 */
import { isStale } from '@makima/domain/stale';
import { lockContract } from '@makima/db/repo/contracts';
import { closeIncident, openIncident } from '@makima/db/repo/incidents';
import {
  livelyContracts,
  silentContracts,
  staleFactsOf,
  type OwnedContract,
} from '@makima/db/repo/stale';
import { reading } from '@makima/db/tx';
import { act, type Act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';

/** The kind of their incidents; the subject is the contract's id. */
export const staleKind = 'contract_stale';

/** Answers how many incidents it looked at. */
export async function watchStale(engine: Engine, input: { limit: number }): Promise<number> {
  const { sql } = engine.database;
  const thresholdMs = engine.settings.staleThresholdMs;
  const search = { kind: staleKind, thresholdMs, limit: input.limit };
  const [silent, lively] = await reading(
    engine.database,
    Promise.all([silentContracts(sql, search), livelyContracts(sql, search)]),
  );
  await eachRow([...silent, ...lively], (row) => {
    const caller = { kind: 'system', ownerId: row.ownerId, name: 'stale-contracts' } as const;
    return act(engine, { caller }, (a) => judge(a, row));
  });
  return Math.max(silent.length, lively.length);
}

async function judge(a: Act, { ownerId, contractId }: OwnedContract): Promise<void> {
  const key = { ownerId, kind: staleKind, subject: contractId };
  const contract = await lockContract(a.tx, { ownerId, id: contractId, strength: 'share' });
  const facts = await staleFactsOf(a.tx, { ownerId, contractId });
  if (contract === undefined || facts === undefined) {
    await closeIncident(a.tx, key);
    return;
  }
  const { staleThresholdMs: thresholdMs } = a.engine.settings;
  if (isStale({ ...facts, thresholdMs }, a.now)) {
    const lastProgressAt = facts.lastProgressAt.toISOString();
    const staleSeconds = secondsBetween(facts.lastProgressAt, a.now);
    const opened = await openIncident(a.tx, { ...key, detail: { lastProgressAt } });
    if (opened === undefined) return;
    a.emit('contract.stale_detected', { contractId, data: { lastProgressAt, staleSeconds } });
    return;
  }
  const closed = await closeIncident(a.tx, key);
  if (closed === undefined) return;
  const since = new Date(String(closed.detail['lastProgressAt']));
  const staleSeconds = secondsBetween(since, a.now);
  a.emit('contract.stale_cleared', { contractId, data: { staleSeconds } });
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, Math.round((to.getTime() - from.getTime()) / 1_000));
}
