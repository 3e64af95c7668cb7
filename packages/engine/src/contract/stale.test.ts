/** Staleness: one incident for one silence, told once, closed once, and nothing of what rests on purpose. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changeStatus } from './change-status.ts';
import { deleteContract } from './remove.ts';
import { watchStale } from './stale.ts';
import { inbox } from '../question/inbox.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  stranger,
  type TestEngine,
} from '../test-engine.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine({ settings: { staleThresholdMs: 60_000 } });
});
afterAll(() => t.close());

/** As if nothing had moved for so long. */
const silence = (id: string, seconds: number) =>
  t.database
    .sql`update contract_activity set last_progress_at = clock() - make_interval(secs => ${seconds})
                  where contract_id = ${id}`;
const look = () => watchStale(t.engine, { limit: 100 });
const told = async (id: string): Promise<string[]> =>
  (await eventsOf(t, id)).map(({ type }) => type).filter((type) => type.includes('stale'));
const staleItems = async (caller = t.owner) =>
  (await inbox(t.engine, caller)).items.filter(({ kind }) => kind === 'stale');

it('is one incident, told once, and closed once when something moves', async () => {
  const { id, slug } = await newContract(t);
  await silence(id, 59);
  await look();
  expect(await told(id)).toEqual([]);
  await silence(id, 61);
  await Promise.all([look(), look(), look()]);
  await look();
  expect(await told(id)).toEqual(['contract.stale_detected']);
  const [event] = (await eventsOf(t, id)).filter(({ type }) => type === 'contract.stale_detected');
  expect(event?.data).toMatchObject({ staleSeconds: expect.any(Number) });
  expect(event?.data['staleSeconds']).toBeGreaterThanOrEqual(61);
  expect(await staleItems()).toMatchObject([{ contractId: id, act: `makima why ${slug}` }]);
  expect(await staleItems(await stranger(t))).toEqual([]);
  await silence(id, 0);
  await Promise.all([look(), look()]);
  await look();
  expect(await told(id)).toEqual(['contract.stale_detected', 'contract.stale_cleared']);
  expect(await staleItems()).toEqual([]);
  await silence(id, 120);
  await look();
  expect(await told(id)).toHaveLength(3);
});

it('Configurable threshold: a second more or less decides', async () => {
  const { id } = await newContract(t);
  const lookWith = (staleThresholdMs: number) =>
    watchStale(
      { ...t.engine, settings: { ...t.engine.settings, staleThresholdMs } },
      { limit: 100 },
    );
  await silence(id, 600);
  await lookWith(610_000);
  expect(await told(id)).toEqual([]);
  await lookWith(599_000);
  expect(await told(id)).toEqual(['contract.stale_detected']);
  await lookWith(610_000);
  expect(await told(id)).toEqual(['contract.stale_detected', 'contract.stale_cleared']);
});

it('ends with a pause, and is none of what rests, waits for a limit or is parked', async () => {
  const { id, supervisorTaskId } = await newContract(t);
  const { sql } = t.database;
  for (const session of ['parked', 'limited'] as const) {
    await sql`update tasks set session = ${session} where id = ${supervisorTaskId}`;
    await silence(id, 3_600);
    await look();
    expect(await told(id)).toEqual([]);
  }
  await sql`update tasks set session = 'none' where id = ${supervisorTaskId}`;
  await look();
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
  await look();
  expect(await told(id)).toEqual(['contract.stale_detected', 'contract.stale_cleared']);
});

it('ends without a word for a contract that is no more', async () => {
  const { id } = await newContract(t);
  const { sql } = t.database;
  await silence(id, 3_600);
  await look();
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
  await sql`update tasks set status = 'cancelled' where contract_id = ${id}`;
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'archived' });
  await deleteContract(t.engine, by(t.owner), { id, confirm: true });
  await look();
  expect(await sql`select 1 from incidents where subject = ${id} and closed_at is null`).toEqual(
    [],
  );
});
