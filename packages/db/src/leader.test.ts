/** Rounds of one process at a time, and never so many that the pool waits for itself. */
import { testDatabase } from '@makima/stack/test-stores';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase, type Database } from './client.ts';
import { leaderOf } from './leader.ts';

async function pool(max: number): Promise<Database> {
  const made = await testDatabase();
  const database = openDatabase(made.url, { max, deadlineMs: 3_000 });
  onTestFinished(async () => {
    await database.close();
    await made.drop();
  });
  return database;
}

it('more rounds than connections all come to an end, each with a connection for its work', async () => {
  const database = await pool(4);
  const leader = leaderOf(database);
  const done: number[] = [];
  const rounds = Array.from({ length: 13 }, (_, n) =>
    leader(`round-${n}`, async () => {
      await database.sql`select pg_sleep(0.01)`;
      done.push(n);
    }),
  );
  expect(await Promise.all(rounds)).toEqual(Array.from({ length: 13 }, () => true));
  expect(done).toHaveLength(13);
});

it('a round is left to the one who has it, and one that fails makes room for the next', async () => {
  const database = await pool(2);
  const leader = leaderOf(database);
  const other = leaderOf(await twin(database));
  const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const mine = leader('sweep', async () => {
    held.resolve();
    await letGo.promise;
  });
  await held.promise;
  expect(await other('sweep', async () => {})).toBe(false);
  letGo.resolve();
  expect(await mine).toBe(true);
  await expect(
    leader('sweep', () => Promise.reject(new Error('it cannot be done'))),
  ).rejects.toThrow('it cannot be done');
  expect(await leader('sweep', async () => {})).toBe(true);
});

/** Another pool of the same database, as another process has. */
async function twin({ sql }: Database): Promise<Database> {
  const { host, port, user, pass, database } = sql.options;
  const secret = encodeURIComponent(String(pass));
  const made = openDatabase(`postgres://${user}:${secret}@${host[0]}:${port[0]}/${database}`, {
    max: 2,
  });
  onTestFinished(() => made.close());
  return made;
}
