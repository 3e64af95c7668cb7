/** Why: each kind of blocker is provoked in the rows, and named with its time, who can act, and the act. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import type { Why } from '@makima/contracts/entity/why';
import { changePhase } from './change-phase.ts';
import { changeStatus } from './change-status.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { whyContract } from './why.ts';
import { askQuestion } from '../question/ask.ts';
import { whyTask } from '../task/why.ts';
import { by, newContract, openTestEngine, type TestEngine } from '../test-engine.ts';
import { running, spawned, stage, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t, { slots: 3 });
});
afterAll(() => t.close());

const contractWhy = (id = scene.contract.id): Promise<Why> =>
  whyContract(t.engine, t.owner, { id });
const taskWhy = (id: string): Promise<Why> => whyTask(t.engine, t.owner, { id });
/** The first blocker of this kind; it must say since when, and who can act. */
function blockerOf(why: Why, kind: string) {
  const found = why.blockers.find((blocker) => blocker.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in ${JSON.stringify(why.blockers)}`);
  expect(found.since, kind).not.toBeNull();
  expect(found.act === null, kind).toBe(found.whoCanAct !== 'person');
  return found;
}

it('a contract that was never started', async () => {
  const { id, slug } = await newContract(t, { start: false });
  expect(blockerOf(await contractWhy(id), 'not_started').act).toBe(
    `makima contracts start ${slug}`,
  );
});

it('a question, by who may answer it', async () => {
  const input = zAskInput.parse({ question: 'Which?' });
  const { result } = await askQuestion(t.engine, by(scene.supervisor), input);
  const found = blockerOf(await contractWhy(), 'question');
  expect(found).toMatchObject({ questionId: result.questionId, whoCanAct: 'person' });
  expect(found.act).toContain(`makima answer ${result.questionId}`);
  await t.database.sql`update questions set status = 'cancelled' where id = ${result.questionId}`;
});

it('a need that is not met', async () => {
  const first = await spawned(scene, { name: 'first' });
  const second = await spawned(scene, { name: 'second', needs: [first.id] });
  expect(blockerOf(await taskWhy(second.id), 'dependency').reason).toContain('first');
  await t.database
    .sql`update tasks set status = 'cancelled' where id in (${first.id}, ${second.id})`;
});

it('no capacity, an account at its limit, a lease that is out, a machine that is away', async () => {
  const { sql } = t.database;
  const works = await running(scene, { name: 'works' });
  await running(scene, { name: 'works too' });
  const waits = await spawned(scene, { name: 'waits' });
  expect(blockerOf(await taskWhy(waits.id), 'capacity')).toMatchObject({ whoCanAct: 'system' });
  await sql`update tasks set session = 'limited', resume_at = clock() + interval '1 hour' where id = ${works.taskId}`;
  expect(blockerOf(await taskWhy(works.taskId), 'limit').whoCanAct).toBe('system');
  await sql`update tasks set session = 'live', resume_at = null where id = ${works.taskId}`;
  await sql`update task_attempts set lease_expires_at = clock() - interval '1 second' where task_id = ${works.taskId}`;
  expect(blockerOf(await taskWhy(works.taskId), 'lease').whoCanAct).not.toBe('nobody');
  await sql`update daemons set status = 'disconnected' where id = ${scene.daemon.id}`;
  expect(blockerOf(await taskWhy(works.taskId), 'machine_offline').whoCanAct).toBe('person');
  expect(blockerOf(await taskWhy(waits.id), 'no_daemon').whoCanAct).toBe('person');
  await sql`update daemons set status = 'connected' where id = ${scene.daemon.id}`;
});

it('a guard, and a pause', async () => {
  const { id, slug } = scene.contract;
  await completeDeliverable(t.engine, by(t.owner), {
    id,
    deliverableId: 'plan-document',
    evidence: [{ kind: 'word', text: 'it stands' }],
  });
  await changePhase(t.engine, by(scene.supervisor), { id, phase: 'execute' });
  const guard = blockerOf(await contractWhy(), 'guard');
  expect(guard.act).toBe(`makima contracts advance ${slug} --phase execute --confirm`);
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
  expect(blockerOf(await contractWhy(), 'pause').act).toBe(`makima contracts resume ${slug}`);
});

it('a gate that fails, when nobody works on it', async () => {
  const { id } = await newContract(t);
  await t.database
    .sql`update tasks set status = 'done', finished_at = clock() where contract_id = ${id}`;
  const gate = blockerOf(await contractWhy(id), 'gate');
  expect(gate).toMatchObject({ whoCanAct: 'supervisor' });
  expect(gate.reason).toContain('plan');
});
