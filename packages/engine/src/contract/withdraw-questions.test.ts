/** Nobody is asked for an agent that is gone. */
import { expect, it } from 'vitest';
import { cancelTask } from '../task/cancel.ts';
import { by, eventsOf, openTestEngine, runJobs } from '../test-engine.ts';
import { contractRow, running, stage } from '../test-stage.ts';

it('a question of a task that ended is cancelled, and the contract waits for it no longer', async () => {
  const t = await openTestEngine();
  try {
    const scene = await stage(t);
    const task = await running(scene);
    await scene.daemon.report({
      kind: 'agent.asked',
      taskId: task.taskId,
      attempt: 1,
      requestId: 'toolu_1',
      questionType: 'general',
      question: 'Which database?',
      context: null,
      choices: [],
      multiSelect: false,
    });
    const { id } = scene.contract;
    expect((await contractRow(t, id)).status).toBe('waiting_for_input');
    await cancelTask(t.engine, by(scene.supervisor), { id: task.taskId });
    await runJobs(t);
    expect(await contractRow(t, id)).toMatchObject({ status: 'active', waitingFor: null });
    const rows = await t.database.sql`select status from questions where task_id = ${task.taskId}`;
    expect(rows).toEqual([{ status: 'cancelled' }]);
    const told = (await eventsOf(t, id)).filter((e) => e.type === 'question.cancelled');
    expect(told.map((e) => e.data['reason'])).toEqual(['the task that asked is cancelled']);
  } finally {
    await t.close();
  }
});
