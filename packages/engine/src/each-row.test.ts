/** One bad row keeps no other from its turn. */
import { expect, it } from 'vitest';
import { expireLeases } from './daemon/expire-leases.ts';
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
