/** What time alone does to a contract, by the database's clock. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { inbox } from '../question/inbox.ts';
import { cleanUp } from '../test-clean-up.ts';
import { moveClock } from '../test-clock.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, stage, taskRow, type Stage } from '../test-stage.ts';
import { archiveEnded } from './archive.ts';
import { changePhase } from './change-phase.ts';
import { changeStatus } from './change-status.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { getContract } from './get.ts';
import { pauseUnanswered } from './input-timeout.ts';
import { deleteArchived } from './remove.ts';
import { runContractTimers } from './timers.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ settings: { completionGraceMs: 300_000 } });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
beforeEach(() => moveClock(t, '0'));
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const statusOf = async (id: string) => (await contractRow(t, id)).status;
const ask = async (of: Stage, question = 'Which?') =>
  (await askQuestion(t.engine, by(of.supervisor), zAskInput.parse({ question }))).result.questionId;
const answer = (id: string, response: string) =>
  answerQuestion(t.engine, by(t.owner), { id, response });

it('a contract left alone goes from creation to archive, and is gone, by its timers', async () => {
  const scene = await stage(t, { daemon, contract: { phaseGuard: false } });
  const { id } = scene.contract;
  for (const deliverableId of ['plan-document', 'implementation']) {
    const word = { id, deliverableId, evidence: [] };
    await completeDeliverable(t.engine, by(scene.supervisor), word);
    await runJobs(t);
  }
  expect(await statusOf(id)).toBe('completing');
  // Every mail is lost: the rows alone say what is due.
  const lose = () => t.database.sql`delete from outbox`;
  await lose();
  await moveClock(t, '4 minutes');
  expect(await runContractTimers(t.engine)).toBe(0);
  await moveClock(t, '6 minutes');
  expect(await runContractTimers(t.engine)).toBe(1);
  await cleanUp(t, daemon);
  expect(await statusOf(id)).toBe('completed');
  await moveClock(t, '29 days');
  expect(await runContractTimers(t.engine)).toBe(0);
  await moveClock(t, '31 days');
  expect(await runContractTimers(t.engine)).toBe(1);
  expect(await statusOf(id)).toBe('archived');
  await cleanUp(t, daemon);
  await moveClock(t, '60 days');
  expect(await runContractTimers(t.engine)).toBe(0);
  await moveClock(t, '62 days');
  expect(await runContractTimers(t.engine)).toBe(1);
  expect((await refusal(getContract(t.engine, t.owner, { id }))).code).toBe('CONTRACT_NOT_FOUND');
  expect(await runContractTimers(t.engine)).toBe(0);
  const changes = (await eventsOf(t, id)).filter(({ type }) => type === 'contract.status_changed');
  expect(changes.map(({ data }) => data['to'])).toEqual([
    'active',
    'completing',
    'completed',
    'archived',
  ]);
});

describe('the input timeout', () => {
  it('pauses what nobody answers, and an answer lets it go on', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    const works = await running(scene, { name: 'works' });
    const questionId = await ask(scene);
    await moveClock(t, '23 hours');
    expect(await runContractTimers(t.engine)).toBe(0);
    await moveClock(t, '25 hours');
    expect(await runContractTimers(t.engine)).toBe(1);
    expect(await runContractTimers(t.engine)).toBe(0);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({
      status: 'paused',
      blockedReason: 'nobody answered its question for 24 hours',
      openQuestions: 1,
      attention: 'needs_you',
    });
    const mine = (await inbox(t.engine, t.owner)).items.filter((item) => item.contractId === id);
    expect(mine.map(({ kind }) => kind)).toEqual(['question']);
    const stops = await daemon.pullOnly('task.stop');
    expect(stops.map(({ taskId }) => taskId)).toEqual([scene.supervisorTaskId, works.taskId]);
    for (const stop of stops) await daemon.ended(stop, { outcome: 'stopped' });
    await answer(questionId, 'this one');
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({
      status: 'active',
      blockedReason: null,
    });
    await runJobs(t);
    for (const taskId of [scene.supervisorTaskId, works.taskId])
      expect(await taskRow(t, taskId)).toMatchObject({ status: 'starting', currentAttempt: 2 });
  });

  it('counts from the last question, not from the first', async () => {
    const scene = await stage(t, { daemon });
    const first = await ask(scene, 'First?');
    await moveClock(t, '20 hours');
    const second = await ask(scene, 'Second?');
    await answer(first, 'yes');
    await moveClock(t, '30 hours');
    expect(await runContractTimers(t.engine)).toBe(0);
    const caller = t.system;
    expect((await pauseUnanswered(t.engine, caller, scene.contract)).result).toBe(false);
    await moveClock(t, '45 hours');
    expect(await runContractTimers(t.engine)).toBe(1);
    await answer(second, 'no');
    expect(await statusOf(scene.contract.id)).toBe('active');
  });

  it('is over for a confirmation too: confirming goes on and moves', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    const word = { id, deliverableId: 'plan-document', evidence: [] };
    await completeDeliverable(t.engine, by(scene.supervisor), word);
    await runJobs(t);
    await moveClock(t, '25 hours');
    expect(await runContractTimers(t.engine)).toBe(1);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({
      status: 'paused',
      blockedReason: 'nobody answered its phase confirmation for 24 hours',
    });
    const move = { id, phase: 'execute', confirmed: true };
    expect((await changePhase(t.engine, by(t.owner), move)).result.outcome).toBe('success');
    expect(await contractRow(t, id)).toMatchObject({ status: 'active', phase: 'execute' });
  });

  it('does not undo a person’s own pause', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    const questionId = await ask(scene);
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    await answer(questionId, 'this one');
    expect(await statusOf(id)).toBe('paused');
  });
});

describe('a time that never comes', () => {
  it('is one that the installation has turned off', async () => {
    const never = { inputTimeoutMs: null, archiveAfterMs: null, archiveRetentionMs: null };
    const engine = { ...t.engine, settings: { ...t.engine.settings, ...never } };
    const scene = await stage(t, { daemon });
    await ask(scene);
    const { id } = await newContract(t, { start: false });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
    await cleanUp(t, daemon);
    await moveClock(t, '10 years');
    expect(await runContractTimers(engine)).toBe(0);
    for (const verb of [pauseUnanswered, archiveEnded, deleteArchived])
      expect((await verb(engine, t.system, { id })).result).toBe(false);
    expect(await runContractTimers(t.engine)).toBeGreaterThan(0);
  });
});

it('verbs of timers look again under the lock: what is not due stays as it is', async () => {
  const { id } = await newContract(t, { start: false });
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
  expect((await archiveEnded(t.engine, t.system, { id })).result).toBe(false);
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'archived' });
  expect((await deleteArchived(t.engine, t.system, { id })).result).toBe(false);
  expect(await statusOf(id)).toBe('archived');
});
