/** One bad row keeps no other from its turn. */
import { expect, it } from 'vitest';
import { MakimaError } from '@makima/domain/error';
import { expireLeases } from './daemon/expire-leases.ts';
import { eachRow } from './each-row.ts';
import { openTestEngine } from './test-engine.ts';
import { running, stage, taskRow } from './test-stage.ts';

it('a sweep goes on behind a row that cannot be handled, and tells of it at the end', async () => {
  const t = await openTestEngine();
  const { sql } = t.database;
  try {
    const scene = await stage(t, { slots: 5 });
    const bad = await running(scene, { name: 'bad' });
    const good = await running(scene, { name: 'good' });
    await sql.unsafe(`
      create function refuse_bad() returns trigger language plpgsql as $$ begin
        if new.name = 'bad' then raise exception 'this row is bad'; end if; return new; end $$;
      create trigger refuse_bad before update on tasks for each row execute function refuse_bad()`);
    await sql`update task_attempts set lease_expires_at = clock() - interval '2 min' where task_id = ${bad.taskId}`;
    await sql`update task_attempts set lease_expires_at = clock() - interval '1 min' where task_id = ${good.taskId}`;
    await expect(expireLeases(t.engine, { limit: 10 })).rejects.toMatchObject({
      message: '1 of 2 rows could not be handled',
      errors: [expect.anything()],
    });
    expect((await taskRow(t, good.taskId)).status).toBe('interrupted');
    expect((await taskRow(t, bad.taskId)).status).toBe('running');
  } finally {
    await t.close();
  }
});

it('rows are not tried one by one against a store that is away', async () => {
  let tried = 0;
  const away = eachRow([1, 2, 3, 4, 5], async () => {
    tried += 1;
    throw new MakimaError('DEPENDENCY_UNAVAILABLE', 'the store is away');
  });
  await expect(away).rejects.toBeInstanceOf(AggregateError);
  expect(tried).toBe(3);
});

it('rows side by side are each tried once, and no more of them at a time than there are lanes', async () => {
  const seen: number[] = [];
  let atOnce = 0;
  let most = 0;
  const work = async (row: number): Promise<void> => {
    seen.push(row);
    most = Math.max(most, (atOnce += 1));
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
    if (row === 2) throw new Error('this row is bad');
  };
  await expect(eachRow([1, 2, 3, 4, 5, 6, 7], work, { lanes: 3 })).rejects.toThrow('1 of 7 rows');
  expect([seen, most]).toEqual([[1, 2, 3, 4, 5, 6, 7], 3]);
});
