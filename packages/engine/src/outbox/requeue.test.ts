/** What should have a job has one again, whatever was lost. */
import { expect, it } from 'vitest';
import { cleanUp } from '../test-clean-up.ts';
import { openTestEngine, runJobs } from '../test-engine.ts';
import { stage } from '../test-stage.ts';
import { requeueDue } from './requeue.ts';

it('an archived contract that is not cleaned gets its clean-up, a cleaned one none', async () => {
  const t = await openTestEngine();
  try {
    const scene = await stage(t);
    await t.database.sql`update contracts set status = 'paused' where id = ${scene.contract.id}`;
    await t.database.sql`update contracts set status = 'archived' where id = ${scene.contract.id}`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect(await runJobs(t)).toMatchObject({ 'clean-contract': 1 });
    await cleanUp(t, scene.daemon);
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await runJobs(t))['clean-contract']).toBeUndefined();
  } finally {
    await t.close();
  }
});
