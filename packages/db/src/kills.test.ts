/**
 * Postgres takes backends away: the process lives, each transaction is whole or absent, and nothing that a
 * dead transaction still says reaches another's.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase } from './client.ts';
import { asLeader } from './repo/locks.ts';
import type { UnitsTold } from './test-units.ts';

const kills = 200;

let store: TestDatabase;
let sql: postgres.Sql;
beforeAll(async () => {
  store = await emptyDatabase();
  sql = postgres(store.url, { max: 1, onnotice: () => {} });
  await sql`create table units (unit text, n int)`;
});
afterAll(async () => {
  await sql.end();
  await store.drop();
});

// In a process of its own, so that an exception that nobody catches would be seen as its death.
it(`survives ${kills} killed backends, and no transaction is cut in two`, async () => {
  const child = fork(new URL('test-units.ts', import.meta.url).pathname, [store.url], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const died = exit.then(([code]): never => {
    throw new Error(`it died with ${code}: ${complaint}`);
  });
  died.catch(() => {});
  try {
    await Promise.race([once(child, 'message'), died]);
    expect(await killBackends(child)).toBe(kills);
    const answer = once(child, 'message') as Promise<[UnitsTold]>;
    child.send('stop');
    const [told] = await Promise.race([answer, died]);
    expect([(await exit)[0], complaint]).toEqual([0, '']);

    const cut = await sql`
      select unit from units group by unit having array_agg(n order by n) <> '{1,2,3}'`;
    expect(cut).toEqual([]);
    const rows = await sql<{ unit: string }[]>`select distinct unit from units`;
    const there = new Set(rows.map((row) => row.unit));
    expect(told.committed.filter((unit) => !there.has(unit))).toEqual([]);
    const known = new Set([...told.committed, ...told.unknown]);
    expect([...there].filter((unit) => !known.has(unit))).toEqual([]);
    // The faults did bite, work went on between them, and most of them were not the caller's trouble.
    expect(told.repeats + told.failedReads).toBeGreaterThan(kills / 10);
    expect(told.committed.length).toBeGreaterThan(10);
    expect(told.unknown.length).toBeLessThan(told.repeats);
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
  }
});

/** One after the other, whichever works now; answers how many there were to kill. */
async function killBackends(child: ChildProcess): Promise<number> {
  const until = performance.now() + 12_000;
  let killed = 0;
  while (killed < kills && child.exitCode === null && performance.now() < until) {
    const gone = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'units' and state <> 'idle' order by random() limit 1`;
    killed += gone.length;
    await sql`select pg_sleep(0.004)`;
  }
  return killed;
}

describe('what a dead transaction still says', () => {
  it('is refused, and does not run in the transaction that has its connection now', async () => {
    const database = openDatabase(store.url, { max: 1, name: 'one' });
    const dead = Promise.withResolvers<void>();
    const other = Promise.withResolvers<void>();
    const first = database.sql.begin(async (tx) => {
      await tx`insert into units values ('dead', 1)`;
      await tx`select pg_terminate_backend(pg_backend_pid())`.catch(() => {});
      dead.resolve();
      await other.promise;
      await tx`insert into units values ('dead', 2)`;
    });
    first.catch(() => {});
    await dead.promise;
    await database.sql.begin(async (tx) => {
      await tx`insert into units values ('other', 1)`;
      other.resolve();
      // The first one's statement and its rollback come while this one is open.
      await expect(first).rejects.toBeDefined();
      await tx`select pg_sleep(0.05)`;
      await tx`insert into units values ('other', 2)`;
    });
    const rows = await sql`select unit, n from units where unit in ('dead', 'other') order by n`;
    expect(rows).toEqual([
      { unit: 'other', n: 1 },
      { unit: 'other', n: 2 },
    ]);
    await database.close();
  });

  it('holds for a reserved connection too: its lock is gone, and its release frees nobody else', async () => {
    const database = openDatabase(store.url, { max: 1, name: 'one' });
    const led = asLeader(database.sql, 'test', async () => {
      await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'one'`;
    });
    await expect(led).rejects.toBeDefined();
    expect(await asLeader(database.sql, 'test', async () => {})).toBe(true);
    await database.ping(2_000);
    await database.close();
  });
});
