/** One contract from its creation to its completion, by verbs alone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerQuestion } from './question/answer.ts';
import { askQuestion } from './question/ask.ts';
import { beginWait, readWait } from './wait/begin.ts';
import { changePhase } from './contract/change-phase.ts';
import { completeDeliverable, settleDeliverable } from './contract/complete-deliverable.ts';
import { getContract } from './contract/get.ts';
import { getTask } from './task/get.ts';
import { inbox } from './question/inbox.ts';
import { listTaskOutput } from './task/output.ts';
import { readAnswer } from './question/get.ts';
import { requestMerge } from './operation/merge.ts';
import { zAskInput } from '@makima/contracts/entity/question';
import { outputReport, sha, TestDaemon } from './test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  runJobs,
  type TestEngine,
} from './test-engine.ts';
import { brokenInvariants } from './test-invariants.ts';
import { spawnInput, orderedId } from './test-stage.ts';
import { spawnTask } from './task/spawn.ts';
import { supervisorStatus } from './supervisor/status.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine();
});
afterAll(() => t.close());

it('goes from created to completed', async () => {
  const { engine } = t;
  const daemon = await TestDaemon.join(t, { slots: 5 });
  const contract = await newContract(t, { phaseGuard: ['plan'] });
  expect(contract.status).toBe('active');
  const progress = async () =>
    (await supervisorStatus(engine, t.owner, { id: contract.id })).progress;
  expect(await progress()).toBe(0);
  await runJobs(t);

  const [lead] = await daemon.pullOnly('task.start');
  if (lead === undefined) throw new Error('the supervisor found no place');
  expect(lead).toMatchObject({ isSupervisor: true, attempt: 1, branch: `makima/${contract.slug}` });
  await daemon.started(lead);
  const supervisor = await daemon.agent(lead);
  const id = contract.id;

  // A plan, shown by a file that the daemon looks at.
  const plan = {
    id,
    deliverableId: 'plan-document',
    evidence: [{ kind: 'file' as const, path: 'PLAN.md' }],
  };
  const checking = (await completeDeliverable(engine, by(supervisor), plan)).result;
  if (checking.state !== 'checking') throw new Error('nothing was checked');
  const [check] = await daemon.pullOnly('evidence.check');
  expect(check).toMatchObject({
    path: 'PLAN.md',
    command: null,
    branch: `makima/${contract.slug}`,
  });
  await daemon.finish(check?.operationId ?? '', {
    kind: 'evidence.check',
    holds: true,
    commitSha: sha('c'),
    exitCode: null,
    output: '',
  });
  const settled = (await settleDeliverable(engine, by(supervisor), { ...plan, ...checking }))
    .result;
  expect(settled).toMatchObject({ ready: true, deliverable: { completed: true } });
  expect(await progress()).toBe(50);

  // The guard: evaluating opens the request, the supervisor is told of it, a person says yes.
  await runJobs(t);
  expect(await getContract(engine, t.owner, { id })).toMatchObject({
    status: 'waiting_for_input',
    waitingFor: 'phase_confirmation',
  });
  const asked = (await changePhase(engine, by(supervisor), { id, phase: 'execute' })).result;
  if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
  const [item] = (await inbox(engine, t.owner)).items;
  expect(item).toMatchObject({ kind: 'confirmation', question: { id: asked.questionId } });
  await answerQuestion(engine, by(t.owner), { id: asked.questionId, response: 'Approve' });
  expect(await getContract(engine, t.owner, { id })).toMatchObject({
    status: 'active',
    phase: 'execute',
  });
  const [yes] = await daemon.pullOnly('task.message');
  expect(yes?.message.text).toContain('The contract is now in execute');

  // Three tasks, one of which needs another; the supervisor waits for all.
  const spawn = async (name: string, needs: string[] = []) =>
    (await spawnTask(engine, by(supervisor), spawnInput(id, { name, needs }))).result;
  const first = await spawn('first');
  const second = await spawn('second');
  const third = await spawn('third', [first.id]);
  const taskIds = [first.id, second.id, third.id];
  const { waitId } = (await beginWait(engine, by(supervisor), { taskIds, mode: 'all' })).result;
  await runJobs(t);
  const starts = await daemon.pullOnly('task.start');
  expect(starts.map((s) => s.name).toSorted()).toEqual(['first', 'second']);
  for (const start of starts) {
    await daemon.started(start);
    await daemon.report(outputReport(start, 1, 'one', 'two'), outputReport(start, 3, 'three'));
    await daemon.ended(start);
  }
  expect((await readWait(engine, supervisor, { waitId })).satisfied).toBe(false);
  await runJobs(t);
  const [last] = await daemon.pullOnly('task.start');
  if (last === undefined) throw new Error('the third found no place');
  await daemon.started(last);
  await daemon.ended(last, { summary: 'All is well.' });
  const waited = await readWait(engine, supervisor, { waitId });
  expect(waited.satisfied).toBe(true);
  expect(waited.tasks.map((task) => task.status)).toEqual(['done', 'done', 'done']);
  expect((await listTaskOutput(engine, t.owner, { id: first.id, limit: 10 })).items).toHaveLength(
    3,
  );

  // All of its tasks, but not what it owes.
  await runJobs(t);
  expect(await progress()).toBe(75);

  // Merge, ask, show the implementation.
  const merge = await orderedId(
    requestMerge(engine, by(supervisor), { id: first.id, squash: false }),
  );
  const [order] = await daemon.pullOnly('branch.merge');
  expect(order).toMatchObject({
    operationId: merge,
    targetBranch: `makima/${contract.slug}`,
  });
  const data = Buffer.from('branch').toString('base64');
  await daemon.report({ kind: 'patch.stored', operationId: merge, part: 0, data });
  await daemon.finish(merge, {
    kind: 'branch.merge',
    success: true,
    message: 'merged',
    commitSha: sha('d'),
    conflicts: [],
    moved: { from: sha('a'), changed: ['src/first.ts'], complete: true },
  });
  const carried = () =>
    t.database.sql`select 1 from checkpoint_patches where operation_id = ${merge}`;
  expect(await carried()).toHaveLength(1);
  expect(await getTask(engine, t.owner, { id: first.id })).toMatchObject({ status: 'merged' });
  const question = (
    await askQuestion(
      engine,
      by(supervisor),
      zAskInput.parse({ question: 'Which colour?', choices: ['red', 'blue'] }),
    )
  ).result;
  await answerQuestion(engine, by(t.owner), { id: question.questionId, response: 'BLUE' });
  expect(
    await readAnswer(engine, supervisor, { questionId: question.questionId, take: true }),
  ).toMatchObject({
    status: 'answered',
    response: 'blue',
  });
  const shown = (
    await completeDeliverable(engine, by(supervisor), {
      id,
      deliverableId: 'implementation',
      evidence: [{ kind: 'merged', taskId: first.id }],
    })
  ).result;
  expect(shown).toMatchObject({ state: 'done', ready: true });

  expect(await progress()).toBe(99);

  // Completing: the supervisor is stopped, the branch delivered, directories cleaned, then completed.
  await runJobs(t);
  expect((await getContract(engine, t.owner, { id })).status).toBe('completing');
  const [stop] = await daemon.pullOnly('task.stop');
  expect(stop).toMatchObject({ taskId: lead.taskId, reason: 'completed' });
  await daemon.ended(lead, { outcome: 'stopped' });
  await runJobs(t);
  const [deliver] = await daemon.pullOnly('branch.deliver');
  await daemon.finish(deliver?.operationId ?? '', {
    kind: 'branch.deliver',
    branch: `makima/${contract.slug}`,
    commitSha: sha('d'),
    baseMoved: false,
    note: '',
  });
  await runJobs(t);
  for (const clean of await daemon.pullOnly('workdir.clean'))
    await daemon.finish(clean.operationId, { kind: 'workdir.clean', keptRefs: [] });
  await runJobs(t);
  const end = await getContract(engine, t.owner, { id });
  expect(end).toMatchObject({ status: 'completed', attention: 'done', openQuestions: 0 });
  expect(await progress()).toBe(100);
  // Nobody goes on from its branch on another machine.
  expect(await carried()).toEqual([]);
  const types = (await eventsOf(t, id)).map((event) => event.type);
  for (const type of [
    'contract.created',
    'contract.phase_changed',
    'task.merged',
    'contract.completed',
  ])
    expect(types.filter((other) => other === type)).toHaveLength(1);
  expect(await brokenInvariants(t)).toEqual({});
});
