// The main job by HTTP alone: from a goal to a finished contract in a person's real repository.
// Why: this is what makima is for; whatever breaks it must be seen here first.
// Law: one house for all; each step of the contract waits for the test's word, so nothing depends on speed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Why } from '@makima/contracts/entity/why';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  document,
  hold,
  pieceSteps,
  spawn,
  startContract,
  taskNamed,
  tell,
} from './contract.ts';
import type { Started, Step } from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';
import { filesOn, git, makeRepository, stateOf } from './repository.ts';

const pieces = ['roof', 'door', 'window'] as const;
/** The supervisor and three pieces: a fourth piece has to wait. */
const maxTasks = String(pieces.length + 1);

let house: House;
beforeAll(async () => {
  house = await openHouse({ env: { MAKIMA_MAX_TASKS: maxTasks } });
});
afterAll(() => house.close());

const merged = (name: string): object => ({ merged: `\${${name}}` });

const script: Step[] = [
  { say: 'I look around.' },
  ...document('research-notes', 'docs/research.md'),
  { advance: 'specify' },
  {
    ask: { question: 'Which colour?', choices: ['red', 'blue'], context: 'The door will have it.' },
    as: 'colour',
  },
  { say: 'It will be ${colour.response}.' },
  ...document('requirements-document', 'docs/requirements.md'),
  { advance: 'plan' },
  ...document('plan-document', 'docs/plan.md'),
  { advance: 'execute', as: 'guard' },
  ...pieces.map((name) => spawn(name, pieceSteps(name))),
  spawn('garden', [
    { write: { file: 'out/garden.txt', content: 'green\n' } },
    { commit: 'Garden' },
  ]),
  { wait: ['${roof}', '${door}', '${window}', '${garden}'] },
  ...[...pieces, 'garden'].map((name): Step => ({ merge: `\${${name}}` })),
  { deliverable: { id: 'implementation', evidence: [...pieces, 'garden'].map(merged) } },
  {
    deliverable: { id: 'tests-passing', evidence: [{ command: ['test', '-f', 'out/cellar.txt'] }] },
    allow_failure: true,
    as: 'refused',
  },
  { say: 'Refused: ${refused.error}' },
  { advance: 'review', allow_failure: true, as: 'tooSoon' },
  { say: 'Too soon: ${tooSoon.error}' },
  hold('look again'),
  { deliverable: { id: 'tests-passing', evidence: [{ command: ['test', '-f', 'out/roof.txt'] }] } },
  { advance: 'review' },
  ...document('review-report', 'docs/review.md'),
  { done: 'The house stands.' },
];

const kinds = (why: Why): string[] => why.blockers.map(({ kind }) => kind);
const whyOf = ({ id }: { readonly id: string }): Promise<Why> =>
  house.client.call('whyContract', { params: { id } });

describe('the main job', () => {
  inOrder(() => house);
  let job: Started;
  let before: string;

  it('begins with a goal and a repository, and says that no daemon is there', async () => {
    const repo = makeRepository(join(house.dir, 'house'), { 'README.md': '# House\n' });
    before = stateOf(repo);
    const daemon = house.stack.process('daemon');
    await daemon.stop();
    await eventually(
      () => house.client.call('listDaemons'),
      ({ items }) => items[0]?.status === 'disconnected',
      { what: 'the daemon leaves' },
    );
    job = await startContract(house, script, {
      name: 'build-house',
      repo,
      contractType: 'specification',
      phaseGuard: ['plan'],
      autoCompleteEnabled: false,
    });
    expect(job.contract).toMatchObject({
      status: 'active',
      phase: 'research',
      slug: 'build-house',
    });
    const why = await whyOf(job);
    expect(why).toMatchObject({ moving: false, status: 'active' });
    expect(why.blockers[0]).toMatchObject({ kind: 'no_daemon', whoCanAct: 'person' });
    const own = await house.client.call('whyTask', { params: { id: job.supervisorId } });
    expect(kinds(own)).toEqual(['no_daemon']);
    daemon.start();
    await daemon.whenReady();
    await job.story.until('task.started', ({ taskId }) => taskId === job.supervisorId);
  });

  it('asks a person and goes on with the answer', async () => {
    const asked = await job.story.until('question.asked');
    const { client } = house;
    const contract = await client.call('getContract', { params: { id: job.id } });
    expect(contract).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'question',
      phase: 'specify',
      attention: 'needs_you',
    });
    const why = await whyOf(job);
    expect(why).toMatchObject({ moving: false });
    expect(why.blockers[0]).toMatchObject({
      kind: 'question',
      whoCanAct: 'person',
      questionId: asked.data['questionId'],
    });
    const { items } = await client.call('inbox');
    expect(items[0]).toMatchObject({
      kind: 'question',
      rank: 1,
      contractSlug: 'build-house',
      title: 'Which colour?',
    });
    expect(items[0]?.question).toMatchObject({
      choices: ['red', 'blue'],
      context: 'The door will have it.',
      isRestored: false,
    });
    const id = await answer(client, job, 'Which colour?', 'blue');
    await expect(
      client.call('answerQuestion', { params: { id }, body: { response: 'red' } }),
    ).rejects.toMatchObject({ code: 'QUESTION_ANSWERED', details: { response: 'blue' } });
  });

  it('opens a request at the guard, which only a person decides', async () => {
    const { client } = house;
    const asked = await job.story.until(
      'question.asked',
      ({ data }) => data['questionType'] === 'phase_confirmation',
    );
    const why = await whyOf(job);
    expect(why.moving).toBe(false);
    expect(why.blockers[0]).toMatchObject({ kind: 'guard', whoCanAct: 'person' });
    expect(why.blockers[0]?.act).toBe(
      'makima contracts advance build-house --phase execute --confirm',
    );
    const request = await client.call('getQuestion', {
      params: { id: String(asked.data['questionId']) },
    });
    expect(request).toMatchObject({ phaseguard: true, choices: ['Approve', 'Send back'] });
    expect(request.confirmation).toMatchObject({ fromPhase: 'plan', toPhase: 'execute' });
    expect(request.confirmation?.deliverables).toMatchObject([
      { id: 'plan-document', evidence: [{ kind: 'file', path: 'docs/plan.md' }] },
    ]);
    const body = { phase: 'execute', confirmationId: request.confirmation?.id ?? '' };
    // Without a word of confirmation a person's key does not pass either; with an old version it does not.
    await expect(
      client.call('changePhase', { params: { id: job.id }, body: { phase: 'execute' } }),
    ).rejects.toMatchObject({ code: 'PHASE_GUARD_REQUIRED', details: { questionId: request.id } });
    await expect(
      client.call('changePhase', { params: { id: job.id }, body: { ...body, expectedVersion: 1 } }),
    ).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    const moved = await client.call('changePhase', { params: { id: job.id }, body });
    expect(moved).toMatchObject({ success: true, previousPhase: 'plan', phase: 'execute' });
    const answered = await client.call('getQuestion', { params: { id: request.id } });
    expect(answered).toMatchObject({ status: 'answered', response: 'Approve' });
    await expect(
      client.call('changePhase', { params: { id: job.id }, body }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/CONFIRMATION_VOID|VALIDATION_FAILED|INVALID_TRANSITION/),
    });
  });

  it('runs three tasks at once; the fourth waits for room and says so', async () => {
    const { client } = house;
    const ids = await Promise.all(pieces.map((name) => taskNamed(job, name)));
    await Promise.all(
      ids.map((id) => job.story.until('task.started', ({ taskId }) => taskId === id)),
    );
    const garden = await taskNamed(job, 'garden');
    const why = await client.call('whyTask', { params: { id: garden } });
    expect(why).toMatchObject({ status: 'pending', moving: false });
    expect(kinds(why)).toEqual(['capacity']);
    await job.story.until('wait.started');
    const tasks = await client.call('listContractTasks', { params: { id: job.id } });
    expect(tasks.items.map(({ name, status }) => [name, status])).toEqual([
      [expect.stringContaining('build-house'), 'running'],
      ...pieces.map((name) => [name, 'running']),
      ['garden', 'pending'],
    ]);
    const { roots } = await client.call('contractTree', { params: { id: job.id } });
    expect(roots).toMatchObject([{ id: job.supervisorId, depth: 0, isSupervisor: true }]);
    expect(roots[0]?.children.map(({ name, depth }) => [name, depth])).toEqual(
      [...pieces, 'garden'].map((name) => [name, 1]),
    );
    const status = await client.call('supervisorStatus', { params: { id: job.id } });
    expect(status).toMatchObject({
      state: 'waiting_for_tasks',
      epoch: 1,
      restoration_count: 0,
      phase: 'execute',
    });
    expect(new Set(status.pending_task_ids)).toEqual(new Set([...ids, garden]));
    await Promise.all(ids.map((id) => tell(client, id, 'go')));
    await job.story.untilMany('task.completed', 4);
  });

  it('counts a deliverable only when its evidence holds at the commit', async () => {
    const { client } = house;
    await job.story.untilMany('task.merged', 4);
    const { items } = await eventually(
      () =>
        client.call('listTaskOutput', { params: { id: job.supervisorId }, query: { limit: 200 } }),
      (page) => page.items.some(({ content }) => content.startsWith('Too soon: ')),
      { what: 'the refusals' },
    );
    const said = (start: string): string =>
      items.find(({ content }) => content.startsWith(start))?.content ?? '';
    expect(said('Refused: ')).toMatch(/VALIDATION_FAILED.*cellar/s);
    expect(said('Too soon: ')).toMatch(/VALIDATION_FAILED.*tests-passing/s);
    const readiness = await client.call('phaseReadiness', { params: { id: job.id } });
    expect(readiness).toMatchObject({
      phase: 'execute',
      ready: false,
      missing: [{ kind: 'deliverable', id: 'tests-passing' }],
    });
    await tell(client, job.supervisorId, 'look again');
    await job.story.until('contract.phase_changed', ({ data }) => data['to'] === 'review');
  });

  it('completes when a person says so, and delivers a branch without touching the checkout', async () => {
    const { client } = house;
    const asked = await job.story.until(
      'question.asked',
      ({ data }) => data['questionType'] === 'contract_complete',
    );
    const check = await client.call('checkCompletion', { params: { id: job.id } });
    expect(check).toEqual({ ready: true, would_complete: false, missing: [] });
    const { items } = await client.call('inbox');
    expect(items).toMatchObject([{ kind: 'confirmation', rank: 1 }]);
    await client.call('answerQuestion', {
      params: { id: String(asked.data['questionId']) },
      body: { response: 'Approve' },
    });
    expect(await job.story.end()).toBe('completed');
    const contract = await client.call('getContract', { params: { id: job.id } });
    expect(contract).toMatchObject({
      status: 'completed',
      phase: 'review',
      attention: 'done',
      openQuestions: 0,
    });
    expect(contract.deliverables.map(({ id, completed }) => [id, completed])).toEqual(
      [
        'research-notes',
        'requirements-document',
        'plan-document',
        'implementation',
        'tests-passing',
        'review-report',
      ].map((id) => [id, true]),
    );
    const tested = contract.deliverables.find(({ id }) => id === 'tests-passing');
    expect(tested?.evidence).toMatchObject([
      {
        kind: 'command',
        argv: ['test', '-f', 'out/roof.txt'],
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
    ]);
    expect(filesOn(job.repo, job.branch)).toEqual([
      'README.md',
      ...['plan', 'requirements', 'research', 'review'].map((name) => `docs/${name}.md`),
      ...['door', 'garden', 'roof', 'window'].map((name) => `out/${name}.txt`),
    ]);
    expect(
      git(
        job.repo,
        'merge-base',
        '--is-ancestor',
        String(tested?.evidence[0]?.['commit']),
        job.branch,
      ),
    ).toBe('');
    expect(git(job.repo, 'fsck', '--connectivity-only', '--no-dangling')).toBe('');
    expect(stateOf(job.repo)).toBe(before);
    expect(readFileSync(join(job.repo, 'README.md'), 'utf8')).toBe('# House\n');
    expect((await client.call('inbox')).items).toEqual([]);
    expect(kinds(await whyOf(job))).toEqual(['done']);
  });

  it('has told everything: events, output and conversation without a gap', async () => {
    const { client } = house;
    const last = await job.story.until('contract.completed');
    expect(job.story.events.map(({ seq }) => seq).slice(0, last.seq ?? 0)).toEqual(
      Array.from({ length: last.seq ?? 0 }, (_, index) => index + 1),
    );
    const { items: tasks } = await client.call('listContractTasks', { params: { id: job.id } });
    for (const task of tasks) {
      expect(task.attempt).toBe(1);
      const output = await client.call('listTaskOutput', {
        params: { id: task.id },
        query: { limit: 200 },
      });
      expect(output.items.map(({ seq }) => seq)).toEqual(output.items.map((_, index) => index + 1));
    }
    const roof = tasks.find(({ name }) => name === 'roof');
    const output = await client.call('listTaskOutput', {
      params: { id: roof?.id ?? '' },
      query: { limit: 200 },
    });
    const lines = output.items.filter(
      ({ messageType }) => messageType === 'text' || messageType === 'assistant',
    );
    expect(lines.map(({ content }) => content)).toEqual(
      expect.arrayContaining(['roof begins', ...[0, 1, 2, 3, 4].map((n) => `roof line ${n}`)]),
    );
    const conversation = await client.call('listConversation', {
      params: { id: job.supervisorId },
      query: { limit: 200 },
    });
    expect(conversation.items.map(({ seq }) => seq)).toEqual(
      conversation.items.map((_, index) => index + 1),
    );
    const words = conversation.items.map(({ content }) => content).join('\n');
    expect(words).toContain('It will be blue.');
    await expectInvariants(house);
    job.story.close();
  });
});
