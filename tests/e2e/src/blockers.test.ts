// What stands in the way, and what a person sees of it: why, inbox, pause, a guard that is sent back.
// Why: a contract that does not move and does not say why is the worst that can happen to a person.
// Law: every blocker is a real one, met by a real contract; each is taken away and the contract goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Why } from '@makima/contracts/entity/why';
import { expectAttempts, isAlive, linesOf, pidOf } from './agents.ts';
import {
  answer,
  document,
  hold,
  spawn,
  startContract,
  taskNamed,
  tell,
  type Started,
} from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ env: { MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0' } });
});
afterAll(() => house.close());

const whyOf = (id: string): Promise<Why> => house.client.call('whyContract', { params: { id } });
const kinds = (why: Why): string[] => why.blockers.map(({ kind }) => kind);
/** An agent has 5 s to end by itself; the rest is for a busy machine. */
const aliveAtMostMs = 15_000;
const isBeginning = new Set(['task.spawned', 'task.assigned', 'task.started', 'supervisor.woken']);
const statusOf = async ({ id }: Started, targetStatus: 'paused' | 'active' | 'failed') =>
  house.client.call('changeStatus', {
    params: { id },
    body: { targetStatus, reason: 'cancelled: a test' },
  });

describe('what stands in the way', () => {
  inOrder(() => house);

  it('a phase that owes something and nobody who works on it', async () => {
    const { client } = house;
    const idle = await startContract(
      house,
      [
        { say: 'I have nothing to hand in.' },
        { done: 'I thought about it.' },
        ...document('plan-document', 'PLAN.md'),
      ],
      { name: 'idle' },
    );
    // It is told what is owed, and when that does not help a person is asked.
    const asked = await idle.story.until('question.asked');
    expect(asked.data['question']).toContain('has stopped in plan');
    const nudges = idle.story.events.filter(({ data }) => data['source'] === 'nudge');
    expect(nudges.filter(({ type }) => type === 'message.sent')).toHaveLength(2);
    const why = await whyOf(idle.id);
    expect(why).toMatchObject({ moving: false, status: 'waiting_for_input' });
    expect(why.blockers[0]).toMatchObject({
      kind: 'question',
      whoCanAct: 'person',
      questionId: asked.data['questionId'],
    });
    const { items } = await client.call('inbox');
    expect(items).toMatchObject([{ kind: 'question', contractSlug: 'idle', rank: 1 }]);
    const readiness = await client.call('phaseReadiness', { params: { id: idle.id } });
    expect(readiness).toMatchObject({ ready: false, missing: [{ id: 'plan-document' }] });
    await expect(
      client.call('changePhase', { params: { id: idle.id }, body: { phase: 'execute' } }),
    ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    // A person may leave the phase without what is missing.
    const moved = await client.call('changePhase', {
      params: { id: idle.id },
      body: { phase: 'execute', force: true },
    });
    expect(moved).toMatchObject({ phase: 'execute' });
    await statusOf(idle, 'failed');
    expect(await idle.story.end()).toBe('failed');
    idle.story.close();
  });

  it('a pause: nothing starts, and it goes on where it was', async () => {
    const { client } = house;
    const rest = await startContract(
      house,
      [
        spawn('first', [hold('go'), { done: 'first' }]),
        spawn('second', [{ done: 'second' }], { needs: ['${first}'] }),
        { wait: ['${first}', '${second}'] },
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute' },
        { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
      ],
      { name: 'rest' },
    );
    const first = await taskNamed(rest, 'first');
    const second = await taskNamed(rest, 'second');
    await rest.story.until('task.started', ({ taskId }) => taskId === first);
    await rest.story.until('wait.started');
    const needs = await client.call('whyTask', { params: { id: second } });
    expect(needs).toMatchObject({ moving: false, blockers: [{ kind: 'dependency' }] });
    expect(needs.summary).toContain('first');
    const pids = await Promise.all([rest.supervisorId, first].map((id) => pidOf(house, id, 1)));
    expect(pids.filter(isAlive)).toEqual(pids);
    expect(await statusOf(rest, 'paused')).toMatchObject({ success: true, newStatus: 'paused' });
    await eventually(
      () => pids.filter(isAlive),
      (alive) => alive.length === 0,
      { what: 'no agent of a paused contract is alive', withinMs: aliveAtMostMs },
    );
    expect(kinds(await whyOf(rest.id))).toEqual(['pause']);
    expect(kinds(await client.call('whyTask', { params: { id: second } }))).toEqual(['pause']);
    await expect(
      client.call('spawnTask', { body: { contractId: rest.id, name: 'late', plan: 'x' } }),
    ).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(await statusOf(rest, 'active')).toMatchObject({ success: true, newStatus: 'active' });
    await eventually(
      () => client.call('getTask', { params: { id: first } }),
      ({ status }) => status === 'running',
      { what: 'the first task goes on' },
    );
    await tell(client, first, 'go');
    await rest.story.until('task.completed', ({ taskId }) => taskId === second);
    expect(await rest.story.end()).toBe('completed');
    const moves = rest.story.events.filter(({ type }) => type === 'contract.status_changed');
    const [pausedAt, resumedAt] = ['paused', 'active'].map(
      (to) => moves.findLast(({ data }) => data['to'] === to)?.seq ?? 0,
    );
    const between = rest.story.events.filter(
      ({ seq }) => (seq ?? 0) > (pausedAt ?? 0) && (seq ?? 0) < (resumedAt ?? 0),
    );
    expect(pausedAt).toBeLessThan(resumedAt ?? 0);
    expect(between.filter(({ type }) => isBeginning.has(type))).toEqual([]);
    rest.story.close();
  });

  it('a pause that lets turns end: what was begun is whole, and each is back in its conversation', async () => {
    const { client } = house;
    const soft = await startContract(
      house,
      [
        { say: 'I write the plan.' },
        hold('write'),
        ...document('plan-document', 'PLAN.md').slice(0, 2),
        { spawn: { name: 'late', plan: 'x' }, allow_failure: true },
        { done: 'The plan is written.' },
      ],
      { name: 'soft' },
    );
    const pid = await pidOf(house, soft.supervisorId, 1);
    await client.call('changeStatus', {
      params: { id: soft.id },
      body: { targetStatus: 'paused', finishTurnSeconds: 600 },
    });
    expect(await whyOf(soft.id)).toMatchObject({ moving: true, blockers: [{ kind: 'pause' }] });
    await tell(client, soft.supervisorId, 'write');
    const ended = await soft.story.until('task.interrupted');
    expect(ended.data).toMatchObject({ reason: 'paused after its turn', attempt: 1 });
    expect(isAlive(pid)).toBe(false);
    expect(await whyOf(soft.id)).toMatchObject({ moving: false, blockers: [{ kind: 'pause' }] });
    const lines = linesOf(house, soft.supervisorId).map(({ event }) => event);
    expect(lines).toContain('turn_end');
    await statusOf(soft, 'active');
    await soft.story.until('message.delivered', ({ data }) => data['source'] === 'retry');
    expectAttempts(house, soft.supervisorId, 2);
    await statusOf(soft, 'failed');
    expect(await soft.story.end()).toBe('failed');
    expect(soft.story.events.filter(({ type }) => type === 'task.spawned')).toEqual([]);
    soft.story.close();
    await expectInvariants(house);
  });

  it('a validator: what it said of the commit, its yes for a later one, and the way past one that never passes', async () => {
    const { client } = house;
    // It sees what is committed, and nothing of the directory in which agents work.
    const look = 'echo "here are" $(ls); test -f OK';
    const owed = (id: string) => [{ id, name: id }];
    await client.call('putContractType', {
      body: {
        name: 'looked-at',
        phases: [
          {
            name: 'plan',
            deliverables: owed('plan-document'),
            gate: { tasks: 'none', validator: ['sh', '-c', look] },
          },
          {
            name: 'execute',
            deliverables: owed('implementation'),
            gate: { tasks: 'none', validator: ['sh', '-c', 'echo "no way" >&2; exit 7'] },
          },
        ],
      },
    });
    const job = await startContract(
      house,
      [
        ...document('plan-document', 'PLAN.md'),
        { write: { file: 'NOT-COMMITTED.md', content: 'x' } },
        { ask: 'It does not pass. What now?' },
        { write: { file: 'OK', content: 'ok' } },
        { commit: 'Make it pass' },
        { merge: { task: '${task}' } },
        hold('go'),
        { deliverable: { id: 'implementation', evidence: [{ file: 'OK' }] } },
        { ask: 'It never passes. What now?' },
      ],
      { name: 'looked-at', contractType: 'looked-at' },
    );
    const gate = async (fits: (reason: string) => boolean) => {
      const why = await eventually(
        () => whyOf(job.id),
        ({ blockers }) => blockers.some(({ kind, reason }) => kind === 'gate' && fits(reason)),
        { what: 'the word of the validator' },
      );
      expect(why.blockers.map(({ kind }) => kind)).toEqual(['question', 'gate']);
      return why.blockers[1];
    };
    const act = 'makima contracts skip-validator looked-at';
    const failed = await gate((reason) => reason.includes('exited with 1'));
    expect(failed).toMatchObject({ whoCanAct: 'person', act });
    expect(failed?.reason).toContain('here are PLAN.md');
    expect(failed?.reason).not.toContain('NOT-COMMITTED');
    await answer(client, job, 'It does not pass', 'Mend it');
    const { data } = await job.story.until('contract.phase_changed');
    expect(data).toMatchObject({ from: 'plan', to: 'execute' });
    await tell(client, job.supervisorId, 'go');
    await job.story.untilMany('question.asked', 2);
    const never = await gate((reason) => reason.includes('exited with 7: no way'));
    expect(never).toMatchObject({ whoCanAct: 'person', act });
    const { version } = await client.call('getContract', { params: { id: job.id } });
    await client.call('patchContract', {
      params: { id: job.id },
      body: { skipValidator: true, expectedVersion: version },
    });
    await answer(client, job, 'It never passes', 'It is left out');
    expect(await job.story.end()).toBe('completed');
    job.story.close();
  });

  it('an agent that no machine has', async () => {
    const { client } = house;
    const strange = await startContract(house, [], { name: 'strange', agent: 'nobody' });
    const why = await whyOf(strange.id);
    expect(why).toMatchObject({ moving: false, blockers: [{ kind: 'no_daemon' }] });
    expect(why.summary).toContain('nobody');
    await statusOf(strange, 'failed');
    const { status, failureReason } = await client.call('getContract', {
      params: { id: strange.id },
    });
    expect([status, failureReason]).toEqual(['failed', expect.stringContaining('a test')]);
    strange.story.close();
  });

  it('a guard that a person sends back, and then lets pass', async () => {
    const { client } = house;
    const sent = await startContract(
      house,
      [
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute', as: 'first' },
        { say: 'First: ${first.response}, ${first.advanced}' },
        { append: { file: 'PLAN.md', content: 'more\n' } },
        { commit: 'More' },
        { merge: { task: '${task}' } },
        { deliverable: { id: 'plan-document', evidence: [{ file: 'PLAN.md' }] } },
        { advance: 'execute', as: 'second' },
        { say: 'Second: ${second.advanced}' },
        { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
      ],
      { name: 'sent-back', phaseGuard: true },
    );
    const [asked] = await sent.story.untilMany('question.asked', 1);
    const questionId = String(asked?.data['questionId']);
    await client.call('answerQuestion', {
      params: { id: questionId },
      body: { response: 'Send back' },
    });
    const requests = await sent.story.untilMany('question.asked', 2);
    expect((await whyOf(sent.id)).blockers[0]).toMatchObject({ kind: 'guard' });
    const again = String(requests[1]?.data['questionId']);
    expect(again).not.toBe(questionId);
    await client.call('answerQuestion', { params: { id: again }, body: { response: 'Approve' } });
    expect(await sent.story.end()).toBe('completed');
    const output = await client.call('listTaskOutput', {
      params: { id: sent.supervisorId },
      query: { limit: 200 },
    });
    const words = output.items.map(({ content }) => content);
    expect(words).toContain('First: Send back, false');
    expect(words).toContain('Second: true');
    const changes = sent.story.events.filter(({ type }) => type === 'contract.phase_changed');
    expect(changes).toMatchObject([{ data: { guarded: true, to: 'execute' } }]);
    sent.story.close();
  });

  it('all of it in one inbox, most urgent first', async () => {
    const { client } = house;
    const wishes = { question: 'Any wishes?', nonBlocking: true, timeoutSeconds: 0 };
    const asking = await startContract(
      house,
      [{ tool: { name: 'makima_ask', args: wishes } }, { ask: 'Shall I begin?' }],
      { name: 'asking' },
    );
    const broken = await startContract(house, [hold('never')], { name: 'broken' });
    const guarded = await startContract(
      house,
      [...document('plan-document', 'PLAN.md'), { advance: 'execute' }],
      { name: 'guarded', phaseGuard: true },
    );
    await broken.story.until('task.started');
    await client.call('cancelTask', { params: { id: broken.supervisorId }, body: {} });
    expect(await broken.story.end()).toBe('failed');
    await Promise.all([
      asking.story.untilMany('question.asked', 2),
      guarded.story.until('question.asked'),
    ]);
    const { items } = await client.call('inbox');
    expect(items.map(({ rank, kind, title }) => `${rank} ${kind}: ${title}`)).toEqual([
      '1 confirmation: May "guarded" go from plan to execute?',
      '2 question: Shall I begin?',
      '3 question: Any wishes?',
      expect.stringMatching(/^4 failure: the supervisor is cancelled/),
    ]);
    const listed = await client.call('listContracts', { query: { limit: 3 } });
    expect(listed.items.map(({ attention }) => attention)).toEqual([
      'needs_you',
      'needs_you',
      'failed',
    ]);
    for (const one of [asking, guarded]) {
      await statusOf(one, 'failed');
      expect(await one.story.end()).toBe('failed');
    }
    const open = await client.call('listQuestions', { query: { status: 'open' } });
    expect(open.items).toEqual([]);
    expect((await client.call('inbox')).items.map(({ kind }) => kind)).toEqual(['failure']);
    for (const { story } of [asking, broken, guarded]) story.close();
    await expectInvariants(house);
  });
});
