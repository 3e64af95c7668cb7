/** A supervisor at work that may not go on is `blocked`, and at work again by the person's word that ends it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { ContractStatus } from '@makima/domain/contract';
import { changeStatus } from '../contract/change-status.ts';
import { answerQuestion } from '../question/answer.ts';
import { listQuestions } from '../question/get.ts';
import { whyTask } from '../task/why.ts';
import { resumeAfterLimits } from '../limit/go-on.ts';
import { TestDaemon } from '../test-daemon.ts';
import { usd, used, supervisorOf } from '../test-budget.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { stage, type Stage } from '../test-stage.ts';
import { supervisorStatus, type SupervisorStatus } from './status.ts';
import { syncSupervisor } from './sync.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
});
beforeEach(async () => {
  // An agent of its own, so that no limit of another test holds it.
  const agent = `agent-${randomUUID().slice(0, 8)}`;
  const daemon = await TestDaemon.join(t, { slots: 8, agents: [agent] });
  scene = await stage(t, { daemon, contract: { agent, budget: usd(10) } });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const id = (): string => scene.contract.id;
const status = (): Promise<SupervisorStatus> => supervisorStatus(t.engine, t.owner, { id: id() });
const state = async (): Promise<string> => (await status()).state;
const set = (targetStatus: ContractStatus, blocker?: string) =>
  changeStatus(t.engine, by(t.owner), { id: id(), targetStatus, blocker });
const why = () => whyTask(t.engine, t.owner, { id: scene.supervisorTaskId });
const open = async () =>
  (await listQuestions(t.engine, t.owner, { status: 'open', contractId: id(), limit: 9 })).items;
const answer = async (response: string) => {
  const [question] = await open();
  await answerQuestion(t.engine, by(t.owner), { id: question?.id ?? '', response });
  await runJobs(t);
};
const moves = async () =>
  (await eventsOf(t, id()))
    .filter(({ type }) => type === 'supervisor.state_changed')
    .map(({ data }) => `${String(data['from'])} > ${String(data['to'])}`);
const asks: ReportOf<'agent.asked'> = {
  kind: 'agent.asked',
  taskId: '',
  attempt: 1,
  requestId: 'r1',
  questionType: 'general',
  question: 'May I?',
  choices: ['yes', 'no'],
  context: null,
  multiSelect: false,
  tool: null,
};

describe('by a person who blocks its contract', () => {
  it('says what is in its way, and goes on when the contract does', async () => {
    await set('blocked', 'no licence');
    expect(await status()).toMatchObject({
      state: 'blocked',
      current_activity: 'Blocked: no licence',
    });
    expect((await why()).blockers).toEqual([
      expect.objectContaining({
        kind: 'blocked',
        reason: 'Blocked: no licence',
        whoCanAct: 'person',
        act: `makima contracts resume ${id()}`,
      }),
    ]);
    expect((await syncSupervisor(t.engine, by(t.owner), { id: id() })).result.state).toBe(
      'blocked',
    );
    await set('active');
    expect(await status()).toMatchObject({ state: 'working' });
    expect((await why()).blockers).toEqual([]);
    expect((await moves()).slice(-2)).toEqual(['working > blocked', 'blocked > working']);
  });

  it('is idle when its turn ends meanwhile, so that somebody tells it', async () => {
    await set('blocked', 'no licence');
    await scene.daemon.report({
      kind: 'task.turn_ended',
      ...supervisorOf(scene),
      outcome: 'completed',
      text: 'I stop here.',
      error: null,
      usage: null,
    });
    expect(await state()).toBe('idle');
    await set('active');
    expect(await state()).toBe('idle');
  });

  it('waits for the answer that it asked for meanwhile', async () => {
    await set('blocked', 'no licence');
    await scene.daemon.report({ ...asks, taskId: scene.supervisorTaskId });
    expect(await state()).toBe('blocked');
    await set('active');
    expect(await state()).toBe('waiting_for_user');
    await answer('yes');
    expect(await state()).toBe('working');
  });

  it('is found at work by a sync, when the word was lost', async () => {
    await set('blocked', 'no licence');
    await t.database
      .sql`update contracts set status = 'active', blocked_reason = null where id = ${id()}`;
    const { result } = await syncSupervisor(t.engine, by(t.owner), { id: id() });
    expect(result).toMatchObject({ state: 'working', corrected_from: 'blocked' });
  });
});

describe('by what is used up', () => {
  it('a budget, until a person raises it', async () => {
    const of = supervisorOf(scene);
    await scene.daemon.report({ kind: 'task.used', ...of, usage: used(10.2) });
    await runJobs(t);
    expect(await status()).toMatchObject({
      state: 'blocked',
      current_activity: expect.stringContaining('Blocked: the budget of its contract') as string,
    });
    expect((await why()).blockers).toMatchObject([{ kind: 'budget', whoCanAct: 'person' }]);
    await scene.daemon.ended(of, { outcome: 'stopped' });
    await answer('Raise by $10.00');
    expect(await state()).toBe('working');
  });

  it('a usage limit, until its time has come', async () => {
    await scene.daemon.ended(supervisorOf(scene), {
      outcome: 'limited',
      limit: { resetsAt: new Date(Date.now() + 3_600_000).toISOString(), window: 'five_hour' },
      commitSha: null,
      summary: '',
    });
    expect(await status()).toMatchObject({
      state: 'blocked',
      current_activity: expect.stringContaining('At its usage limit until') as string,
    });
    expect((await why()).blockers).toMatchObject([{ kind: 'limit', whoCanAct: 'system' }]);
    await t.database
      .sql`update tasks set resume_at = clock() - interval '1 second' where id = ${scene.supervisorTaskId}`;
    await resumeAfterLimits(t.engine, { limit: 9 });
    expect(await state()).toBe('working');
  });
});
