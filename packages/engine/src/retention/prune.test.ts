/** What has outlived its use goes, what may still be asked for stays. */
import { expect, it } from 'vitest';
import { createContract } from '../contract/create.ts';
import { contractInput, openTestEngine, runJobs } from '../test-engine.ts';
import { running, stage } from '../test-stage.ts';
import { pruneExpired } from './prune.ts';

it('removes expired answers, commands long acked of ended attempts, and dead tool keys', async () => {
  const t = await openTestEngine();
  const { sql } = t.database;
  try {
    const scene = await stage(t, { slots: 10 });
    const ended = await running(scene, { name: 'ended' });
    const works = await running(scene, { name: 'works' });
    await scene.daemon.agent(ended);
    await scene.daemon.agent(works);
    await scene.daemon.ended(ended);
    await runJobs(t);
    await sql`update keys set revoked_at = clock() - interval '25 hours' where task_id = ${ended.taskId}`;
    await sql`update daemon_commands set acked_at = clock() - interval '25 hours'`;
    const call = (key: string) => ({
      caller: t.owner,
      idempotency: { key, fingerprint: key, keep: 'days' as const },
    });
    await createContract(t.engine, call('old'), contractInput({ name: 'one' }));
    await createContract(t.engine, call('young'), contractInput({ name: 'two' }));
    await sql`update idempotency_keys set expires_at = clock() - interval '1 s' where key = 'old'`;

    expect(await pruneExpired(t.engine, { limit: 100 })).toBe(1);
    expect(await sql`select key from idempotency_keys`).toEqual([{ key: 'young' }]);
    const told = await sql<{ taskId: string }[]>`select distinct task_id from daemon_commands`;
    expect(told.map((row) => row.taskId).toSorted()).toEqual(
      [works.taskId, scene.supervisorTaskId].toSorted(),
    );
    const keys = await sql<{ taskId: string }[]>`select task_id from keys where kind = 'tool'`;
    expect(keys.map((row) => row.taskId)).not.toContain(ended.taskId);
    expect(keys.map((row) => row.taskId)).toContain(works.taskId);
    expect(await pruneExpired(t.engine, { limit: 100 })).toBe(0);
  } finally {
    await t.close();
  }
});

it('an expired idempotency key is a new one', async () => {
  const t = await openTestEngine();
  try {
    const call = (fingerprint: string) => ({
      caller: t.owner,
      idempotency: { key: 'again', fingerprint, keep: 'days' as const },
    });
    await createContract(t.engine, call('a'), contractInput({ name: 'one' }));
    const same = await createContract(t.engine, call('a'), contractInput({ name: 'one' }));
    expect(same.replayed).toBe(true);
    await t.database.sql`update idempotency_keys set expires_at = clock() - interval '1 s'`;
    const other = await createContract(t.engine, call('b'), contractInput({ name: 'two' }));
    expect(other.replayed).toBe(false);
    expect(
      (await createContract(t.engine, call('b'), contractInput({ name: 'two' }))).replayed,
    ).toBe(true);
  } finally {
    await t.close();
  }
});

it('an incident goes a while after it is over, an open one never', async () => {
  const t = await openTestEngine();
  const { sql } = t.database;
  try {
    await sql`
      insert into incidents (owner_id, kind, subject, opened_at, closed_at)
      select ${t.ownerId}, 'test', of, clock() - interval '1 year', clock() - days
        from (values ('open', null), ('young', interval '29 days'), ('old', interval '31 days')) as v(of, days)`;
    const left = async () => (await sql`select subject from incidents order by subject`).flat();
    const settings = { ...t.engine.settings, incidentRetentionMs: null };
    expect(await pruneExpired({ ...t.engine, settings }, { limit: 100 })).toBe(0);
    expect(await pruneExpired(t.engine, { limit: 100 })).toBe(1);
    expect(await left()).toEqual([{ subject: 'open' }, { subject: 'young' }]);
  } finally {
    await t.close();
  }
});
