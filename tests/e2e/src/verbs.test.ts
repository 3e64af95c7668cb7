// Every verb of a supervisor in one contract on a real repository: by HTTP, as tools and on the command line,
// with the same results.
// Why: the doors are different programs; what they do must not be.
// Law: the agent's doors are used from its own shell (agent-shell.ts); each door works on tasks of its own.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  document,
  hold,
  planOf,
  startContract,
  taskNamed,
  tell,
  type Started,
} from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';
import { filesOn } from './repository.ts';
import {
  byCli,
  doors,
  openShell,
  say,
  type Door,
  type Ground,
  type Outcome,
  type Shell,
  type Verb,
} from './verb-doors.ts';
import { pieceOutcomes, pieceVerbs, spawning } from './verbs.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: { MAKIMA_MAX_TASKS: '20', MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0' },
  });
});
afterAll(() => house.close());

const plans = {
  works: planOf([
    { wait_message: { containing: 'go' } },
    { write: { file: 'out/${task}.txt', content: 'made\n' } },
    { commit: 'Make it' },
    { done: 'The piece is made.' },
  ]),
  stays: planOf([hold('never')]),
};
const verbs = pieceVerbs(plans);

describe('a supervisor', () => {
  inOrder(() => house);
  let job: Started;
  let shell: Shell;
  let grounds: Readonly<Record<Door, Ground>>;

  const outcomeOf = async (verb: Verb, door: Door): Promise<unknown> => {
    const ground = grounds[door];
    const outcome = await say(shell, verb, ground);
    return 'code' in outcome ? outcome : verb.same(outcome.value, ground);
  };
  const tool = async (name: string, args: object = {}): Promise<Outcome> => {
    const { value, problem } = (await shell.ask({ tool: name, args: { ...args } })) as {
      value: any;
      problem: any;
    };
    return problem === null ? { value } : { code: problem.code };
  };

  it('opens its shell', async () => {
    const portFile = join(house.dir, 'shell-port');
    const program = join(import.meta.dirname, 'agent-shell.ts');
    job = await startContract(
      house,
      [
        ...['a', 'b', 'c'].flatMap((name) => [
          { write: { file: `docs/${name}.md`, content: `# ${name}\n` } },
        ]),
        { commit: 'Documents' },
        { merge: { task: '${task}' } },
        { run: { args: [process.execPath, program, portFile], timeout_ms: 300_000 } },
        ...document('review-report', 'docs/review.md'),
        { done: 'It is led.' },
      ],
      {
        name: 'led',
        contractType: 'specification',
        autoCompleteEnabled: false,
        allowPullRequests: true,
      },
    );
    shell = await openShell(portFile);
    const ground = (door: Door): Ground => ({
      door,
      client: house.client,
      contractId: job.id,
      pieceId: '',
    });
    grounds = { http: ground('http'), mcp: ground('mcp'), cli: ground('cli') };
  });

  it.each(verbs.map((verb) => [verb.name, verb] as const))(
    'says %s at each door',
    async (name, verb) => {
      const outcomes = await Promise.all(doors.map((door) => outcomeOf(verb, door)));
      expect(Object.fromEntries(doors.map((door, at) => [door, outcomes[at]]))).toEqual(
        Object.fromEntries(doors.map((door) => [door, pieceOutcomes[name]])),
      );
    },
  );

  it('builds a tree of children of children, as deep at each door', async () => {
    const [first] = verbs;
    if (first === undefined) throw new Error('no verb');
    const deep = await Promise.all(
      doors.map(async (door) => {
        const parentTaskId = grounds[door].pieceId;
        const child = { ...spawning('child', plans.stays, { parentTaskId }), same: first.same };
        await outcomeOf(child, door);
        const tree = verbs.find(({ name }) => name === 'tree');
        return tree === undefined ? null : outcomeOf(tree, door);
      }),
    );
    expect(deep).toEqual([2, 2, 2]);
    for (const door of doors)
      await house.client.call('cancelTask', { params: { id: grounds[door].pieceId }, body: {} });
  });

  it('gives tasks that were interrupted another attempt', async () => {
    const dies = planOf([hold('go'), { crash: {} }, { done: 'It lives.' }]);
    const same: Verb['same'] = (value, ground) => {
      ground.pieceId = (value['id'] ?? value['taskId']) as string;
      return value['status'];
    };
    for (const door of doors) await outcomeOf({ ...spawning('dies', dies), same }, door);
    const ids = doors.map((door) => grounds[door].pieceId);
    for (const id of ids) await job.story.until('task.started', ({ taskId }) => taskId === id);
    // Nobody decides what follows, so that they stay interrupted.
    const scheduler = house.stack.process('scheduler');
    await scheduler.stop();
    for (const id of ids) await tell(house.client, id, 'go');
    for (const id of ids) await job.story.until('task.interrupted', ({ taskId }) => taskId === id);
    const retry: Verb = {
      name: 'retry',
      http: ({ client, pieceId }) => client.call('retryTask', { params: { id: pieceId } }),
      tool: 'makima_retry',
      args: ({ pieceId }) => ({ taskId: pieceId }),
      cli: ({ door }) => ['retry', `${door}-dies`],
      same: ({ status, attempt }) => [status, attempt],
    };
    const outcomes = await Promise.all(doors.map((door) => outcomeOf(retry, door)));
    expect(outcomes).toEqual(doors.map(() => ['pending', 1]));
    scheduler.start();
    await scheduler.whenReady();
    const wait = verbs.find(({ name }) => name === 'wait');
    if (wait === undefined) throw new Error('no verb');
    const waits = doors.map((door) =>
      outcomeOf({ ...wait, cli: () => ['wait', `${door}-dies`] }, door),
    );
    expect(await Promise.all(waits)).toEqual(doors.map(() => ['done', true, 'It lives.']));
  });

  it('takes a wait up again by its handle, whatever restarts, and gives up when its time is over', async () => {
    await byCli(shell, ['spawn', '--name', 'slow', '--plan', plans.works]);
    const begun = await byCli(shell, ['wait', 'slow', '--timeout', '0s']);
    const waitId = 'value' in begun ? String(begun.value['waitId']) : '';
    const api = house.stack.process('api');
    await api.stop();
    const taken = byCli(shell, ['wait', await taskNamed(job, 'slow'), '--handle', waitId]);
    api.start();
    await api.whenReady();
    const short = await byCli(shell, ['wait', 'slow', '--expires', '1s']);
    expect(short).toMatchObject({
      value: { stillPending: false, timedOut: true, tasks: [{ completed: false }] },
    });
    await tell(house.client, await taskNamed(job, 'slow'), 'go');
    expect(await taken).toMatchObject({
      value: { stillPending: false, waitId, tasks: [{ name: 'slow', status: 'done' }] },
    });
    const seen = await job.story.until('wait.timed_out');
    expect(seen.data['waitId']).not.toBe(waitId);
  });

  it('asks a person, and polls; a person’s key asks nobody', async () => {
    const asking = byCli(shell, ['ask', 'Which', 'colour?', '--choice', 'red', '--choice', 'blue']);
    const asked = await job.story.until('question.asked', ({ data }) =>
      String(data['question']).includes('colour'),
    );
    const questionId = String(asked.data['questionId']);
    const pending = await tool('makima_poll', { questionId, timeoutSeconds: 0 });
    expect(pending).toMatchObject({ value: { stillPending: true, response: null } });
    await house.client.call('answerQuestion', {
      params: { id: questionId },
      body: { response: 'blue' },
    });
    const answered = { value: { stillPending: false, questionId, response: 'blue' } };
    expect(await asking).toEqual(answered);
    expect(await tool('makima_poll', { questionId })).toEqual(answered);
    expect(await byCli(shell, ['poll', questionId])).toEqual(answered);
    const read = await house.client.call('pollQuestion', { params: { id: questionId } });
    expect(read).toMatchObject({ questionId, response: 'blue' });
    const refused = house.client.call('askQuestion', { body: { question: 'Mine?' } });
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const quick = await byCli(shell, ['ask', 'Later?', '--no-wait']);
    expect(quick).toMatchObject({ value: { stillPending: true } });
  });

  it('goes through the phases, one door after the other', async () => {
    const { client } = house;
    const at = { id: job.id };
    const file = (path: string) => [{ kind: 'file' as const, path }];
    const byHttp = await client.call('completeDeliverable', {
      params: { ...at, deliverableId: 'research-notes' },
      body: { evidence: file('docs/a.md') },
    });
    expect(byHttp.ready).toBe(true);
    await client.call('changePhase', { params: at, body: { phase: 'specify' } });
    const delivered = await tool('makima_deliverable', {
      deliverableId: 'requirements-document',
      evidence: file('docs/b.md'),
    });
    const whole = { value: { completed: true, ready: true } };
    expect(delivered).toMatchObject(whole);
    const advanced = { value: { advanced: true, response: null } };
    expect(await tool('makima_advance', { phase: 'plan' })).toMatchObject(advanced);
    expect(
      await byCli(shell, ['deliverable', 'plan-document', '--file', 'docs/c.md']),
    ).toMatchObject(whole);
    expect(await byCli(shell, ['advance', 'execute'])).toMatchObject(advanced);
    const standing = { kind: 'contract', id: job.id, phase: 'execute' };
    expect(await tool('makima_status')).toMatchObject({ value: standing });
    expect(await byCli(shell, ['status'])).toEqual(await tool('makima_status'));
    expect(await client.call('getContract', { params: at })).toMatchObject({ phase: 'execute' });
    const unknown = { code: 'INVALID_DELIVERABLE' };
    expect(await tool('makima_deliverable', { deliverableId: 'x', evidence: [] })).toEqual(unknown);
    expect(await byCli(shell, ['deliverable', 'x'])).toEqual(unknown);
    const early = { code: 'VALIDATION_FAILED' };
    expect(await tool('makima_advance', { phase: 'review' })).toEqual(early);
    expect(await byCli(shell, ['advance', 'review'])).toEqual(early);
    expect(await byCli(shell, ['complete'])).toEqual(early);
    await expect(client.call('completeContract', { params: at })).rejects.toMatchObject(early);
  });

  it('hands in evidence that a machine looks at, and comes to the last phase', async () => {
    const evidence = ['--', 'test', '-f', 'docs/a.md'];
    expect(await byCli(shell, ['deliverable', 'tests-passing', ...evidence])).toMatchObject({
      value: { completed: true, ready: false },
    });
    const wrong = await byCli(shell, ['deliverable', 'implementation', '--file', 'nowhere.md']);
    expect(wrong).toEqual({ code: 'VALIDATION_FAILED' });
    expect(
      await byCli(shell, ['deliverable', 'implementation', '--file', 'docs/a.md']),
    ).toMatchObject({ value: { ready: true } });
    await tool('makima_advance', { phase: 'review' });
    await shell.ask({ end: true });
    await job.story.until(
      'deliverable.completed',
      ({ data }) => data['deliverableId'] === 'review-report',
    );
  });

  it('is asked for by a person at the end, and all doors say the same of it', async () => {
    const { client } = house;
    const asked = await job.story.until(
      'question.asked',
      ({ data }) => data['questionType'] === 'contract_complete',
    );
    const guarded = client.call('completeContract', { params: { id: job.id } });
    await expect(guarded).rejects.toMatchObject({
      code: 'PHASE_GUARD_REQUIRED',
      details: { questionId: asked.data['questionId'] },
    });
    await client.call('answerQuestion', {
      params: { id: String(asked.data['questionId']) },
      body: { response: 'Approve' },
    });
    expect(await job.story.end()).toBe('completed');
    expect(filesOn(job.repo, job.branch, 'docs/')).toEqual([
      'docs/a.md',
      'docs/b.md',
      'docs/c.md',
      'docs/review.md',
    ]);
    const { items } = await client.call('listContractTasks', { params: { id: job.id } });
    const ends = items.filter((task) => !task.isSupervisor).map(({ status }) => status);
    expect(ends.toSorted()).toEqual([
      ...Array.from({ length: 6 }, () => 'cancelled'),
      ...Array.from({ length: 4 }, () => 'done'),
      ...Array.from({ length: 3 }, () => 'merged'),
    ]);
    await eventually(
      () => expectInvariants(house).then(() => true),
      (isSound) => isSound,
      { what: 'nothing lost, doubled or broken' },
    );
  });
});
