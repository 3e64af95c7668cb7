// What doctor says of the stored rows: all is well, one line for what heals, one for what does not.
import { openDatabase } from '@makima/db/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { homeAt } from '../home.ts';
import { testDatabase } from '../test-stores.ts';
import { checkRows, lookAtRows } from './rows.ts';

let store: Awaited<ReturnType<typeof testDatabase>>;
beforeAll(async () => {
  store = await testDatabase();
});
afterAll(() => store.drop());

it('passes where the rows add up, and names what does not with what to do', async () => {
  expect(await lookAtRows(store.url)).toMatchObject({ status: 'pass' });
  const { sql, ...database } = openDatabase(store.url, { max: 1, name: 'test' });
  await sql`insert into owners (name) values ('somebody')`;
  await sql`insert into outbox (owner_id, queue, job_id, payload, not_before)
            select id, 'spawn-task', 'x', '{}', clock() - interval '5 min' from owners`;
  await sql`insert into incidents (owner_id, kind, subject)
            select id, 'wait_overdue', 'w-' || n from owners, generate_series(1, 4) n`;
  await database.close();
  expect(await lookAtRows(store.url)).toEqual([
    {
      name: 'stored rows',
      status: 'warn',
      detail: 'wait_overdue: the time of a wait is over, but it is open (w-1, w-2, w-3 and 1 more)',
      fix: expect.stringContaining('the scheduler puts it right'),
    },
    {
      name: 'stored rows',
      status: 'fail',
      detail: 'mail_not_sent: jobs wait to be queued (spawn-task)',
      fix: expect.stringContaining('report it'),
    },
  ]);
});

it('asks nobody where no stack runs', async () => {
  const context = { home: homeAt('/nonexistent'), env: {} };
  expect(await checkRows(context)).toMatchObject({ status: 'pass' });
});
