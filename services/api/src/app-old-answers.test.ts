/**
 * What answers said before contracts had more than three statuses (seeds 002 and 003): each of those fields is
 * still there, by its name and with its type, whatever the flags of the later features say.
 *
 * Law: the fields are written down here once more, from the seeds; they follow no schema. A field may become
 * longer in what it says, never another type.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { monitorPath } from '@makima/contracts/entity/monitor';
import { endpoints, type EndpointId } from '@makima/contracts/http/all';
import type { Report } from '@makima/contracts/socket/reports';
import type { Features } from '@makima/engine/context';
import { defaultSettings } from '@makima/engine/settings';
import { monitor, refusedDial } from './testing/monitor.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { ended, joinMachine, startedContract } from './testing/test-house.ts';
import type { TestContract, TestMachine } from './testing/test-house.ts';

/** Types of JSON; with a question mark it may be null. */
type OldType = 'text' | 'text?' | 'number' | 'yes/no' | 'list' | 'object?';
type OldFields = Readonly<Record<string, OldType>>;

const task: OldFields = {
  id: 'text',
  contractId: 'text?',
  parentTaskId: 'text?',
  depth: 'number',
  name: 'text',
  description: 'text?',
  plan: 'text',
  status: 'text',
  priority: 'number',
  isSupervisor: 'yes/no',
  version: 'number',
  retryCount: 'number',
  daemonId: 'text?',
  repositoryUrl: 'text?',
  baseBranch: 'text?',
  targetBranch: 'text?',
  targetRepoPath: 'text?',
  completionAction: 'text?',
  checkpointSha: 'text?',
  outputSummary: 'text?',
  errorMessage: 'text?',
  createdAt: 'text',
};
const asked: OldFields = {
  questionId: 'text',
  response: 'text?',
  timedOut: 'yes/no',
  stillPending: 'yes/no',
};
const checkpointMade: OldFields = {
  taskId: 'text',
  checkpointNumber: 'number',
  // Null of one that takes longer than it is waited for.
  commitSha: 'text?',
  message: 'text',
};

const old = {
  getContract: {
    id: 'text',
    name: 'text',
    description: 'text',
    contractType: 'text',
    status: 'text',
    phase: 'text',
    version: 'number',
    supervisorTaskId: 'text?',
    localOnly: 'yes/no',
    autoMergeLocal: 'yes/no',
    repositories: 'list',
    createdAt: 'text',
  },
  spawnTask: task,
  getTask: task,
  waitForTask: { taskId: 'text', status: 'text', completed: 'yes/no', outputSummary: 'text?' },
  contractTree: { supervisorTaskId: 'text?', totalCount: 'number' },
  askQuestion: asked,
  pollQuestion: asked,
  getQuestion: {
    taskId: 'text?',
    contractId: 'text?',
    directiveId: 'text?',
    question: 'text',
    choices: 'list',
    context: 'text?',
    multiSelect: 'yes/no',
    questionType: 'text',
  },
  readTaskFile: { taskId: 'text', filePath: 'text', content: 'text', exists: 'yes/no' },
  createCheckpoint: checkpointMade,
  createBranch: { success: 'yes/no', branchName: 'text', message: 'text' },
  mergeTask: {
    taskId: 'text',
    success: 'yes/no',
    message: 'text',
    commitSha: 'text?',
    conflicts: 'list',
  },
  createPullRequest: { success: 'yes/no', message: 'text', prUrl: 'text', prNumber: 'number' },
  diffTask: { taskId: 'text', success: 'yes/no', diff: 'text', error: 'text?' },
  resumeSupervisor: {
    supervisorTaskId: 'text',
    daemonId: 'text?',
    status: 'text',
    restoration: 'object?',
  },
} satisfies Partial<Record<EndpointId, OldFields>>;
type OldAnswer = keyof typeof old;

const checkpoint: OldFields = {
  ...checkpointMade,
  id: 'text',
  commitSha: 'text',
  branchName: 'text',
  linesAdded: 'number',
  linesRemoved: 'number',
  createdAt: 'text',
};

const nameOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'list';
  const names = { string: 'text', number: 'number', boolean: 'yes/no', object: 'object' };
  return names[typeof value as keyof typeof names] ?? typeof value;
};
const fits = (value: unknown, type: OldType): boolean =>
  value === null ? type.endsWith('?') : nameOf(value) === type.replace('?', '');
/** Of these fields: those that are gone or have become something else. */
const broken = (answer: Record<string, unknown>, fields: OldFields): string[] =>
  Object.entries(fields)
    .filter(([name, type]) => !fits(answer[name], type))
    .map(([name, type]) => `${name}: ${type}, now ${nameOf(answer[name])}`);

const answersOf = (id: OldAnswer): Record<string, { types: string[]; required: boolean }> => {
  interface Shape {
    type?: string | string[];
    anyOf?: Shape[];
    properties?: Record<string, Shape>;
    required?: string[];
  }
  const typesOf = (shape: Shape): string[] =>
    shape.anyOf?.flatMap(typesOf) ?? [shape.type ?? []].flat();
  const { response } = endpoints[id];
  const shape = z.toJSONSchema(response, { unrepresentable: 'any' }) as Shape;
  return Object.fromEntries(
    Object.entries(shape.properties ?? {}).map(([name, field]) => [
      name,
      { types: typesOf(field), required: shape.required?.includes(name) === true },
    ]),
  );
};

it('are described so: each old field is always there, in its type', () => {
  const inJson = { text: 'string', number: 'integer', 'yes/no': 'boolean', list: 'array' };
  for (const [id, fields] of Object.entries(old) as [OldAnswer, OldFields][]) {
    const answers = answersOf(id);
    for (const [name, type] of Object.entries(fields)) {
      const bare = type.replace('?', '') as keyof typeof inJson;
      const allowed = [inJson[bare] ?? 'object', ...(type.endsWith('?') ? ['null'] : [])];
      const now = answers[name];
      expect(now?.required, `${id} ${name}`).toBe(true);
      expect(
        now?.types.filter((one) => !allowed.includes(one)),
        `${id} ${name}`,
      ).toEqual([]);
    }
  }
});

const off: Features = {
  enhancedContractStatus: false,
  autoComplete: false,
  supervisorHeartbeat: false,
  monitoringDashboard: false,
};

describe.each([
  ['on', defaultSettings.features],
  ['off', off],
] as const)('with the later features %s', (_, features) => {
  let api: TestApi;
  let machine: TestMachine;
  let of: TestContract;
  beforeAll(async () => {
    api = await startTestApi({ settings: { features } });
    machine = await joinMachine(api);
    of = await startedContract(api, machine);
  });
  afterAll(() => api.stop());
  const send = async (method: string, path: string, body?: object, key = api.ownerKey) =>
    (await api.send(method, `/api/v1${path}`, { key, body })).json;
  const contract = (rest = '') => `/contracts/${of.detail.id}${rest}`;

  it('Old API responses still work: tasks, waits, checkpoints, questions, and a supervisor that comes back', async () => {
    const wanted = { name: 'build', plan: 'p', contractId: of.detail.id };
    const spawned = await send('POST', '/mesh/supervisor/tasks', wanted, of.supervisorKey);
    expect(broken(spawned, old.spawnTask)).toEqual([]);
    const { id } = spawned;
    await machine.assign();

    const making = send('POST', `/mesh/tasks/${id}/checkpoint`, { message: 'half' });
    let operationId = '';
    await expect
      .poll(
        async () => {
          const commands = await machine.commands();
          const found = commands.find(({ kind }) => kind === 'task.checkpoint');
          if (found?.kind === 'task.checkpoint') operationId = found.operationId;
          return operationId;
        },
        { interval: 5, timeout: 15_000 },
      )
      .not.toBe('');
    const result = {
      kind: 'task.checkpoint',
      commitSha: 'c'.repeat(40),
      baseSha: 'a'.repeat(40),
      branchName: 'makima/test',
      filesChanged: 1,
      linesAdded: 2,
      linesRemoved: 3,
      patchParts: 0,
    } as const;
    const kind = 'operation.finished';
    await machine.report({ kind, operationId, ok: true, result, error: null });
    expect(broken(await making, old.createCheckpoint)).toEqual([]);
    const { items } = await send('GET', `/mesh/tasks/${id}/checkpoints`);
    expect(items).toHaveLength(1);
    expect(broken(items[0], checkpoint)).toEqual([]);

    await machine.report(ended(id, 1, 'built'));
    const waited = await send('POST', `/mesh/supervisor/tasks/${id}/wait`, { timeoutSeconds: 0 });
    expect(broken(waited, old.waitForTask)).toEqual([]);
    expect(waited).toMatchObject({ status: 'done', completed: true });
    expect(broken(await send('GET', `/mesh/tasks/${id}`), old.getTask)).toEqual([]);
    const tree = await send('GET', `/mesh/supervisor${contract('/tree')}`);
    expect(broken(tree, old.contractTree)).toEqual([]);

    const question = { question: 'Which?', nonBlocking: true };
    const ask = await send('POST', '/mesh/supervisor/questions', question, of.supervisorKey);
    expect(broken(ask, old.askQuestion)).toEqual([]);
    const open = await send('GET', `/mesh/questions/${ask.questionId}`);
    expect(broken(open, old.getQuestion)).toEqual([]);
    await send('POST', `/mesh/questions/${ask.questionId}/answer`, { response: 'this' });
    const poll = `/mesh/supervisor/questions/${ask.questionId}/poll?waitSeconds=0`;
    const answered = await send('GET', poll);
    expect(broken(answered, old.pollQuestion)).toEqual([]);
    expect(answered).toMatchObject({ response: 'this', timedOut: false, stillPending: false });

    const gone = { ...ended(of.supervisorTaskId, 1, ''), outcome: 'crashed' } as Report;
    await machine.report(gone);
    const resumed = await send('POST', contract('/supervisor/resume'), {});
    expect(broken(resumed, old.resumeSupervisor)).toEqual([]);
    const { phase, lastActivity, messageCount } = resumed.resumedFrom;
    expect([phase, lastActivity, messageCount].map(nameOf)).toEqual(['text', 'text', 'number']);
  });

  it('A monitor and a dashboard are there with them, and not without', async () => {
    const { monitoringDashboard } = features;
    const status = async (method: string, path: string) =>
      (await api.send(method, path, { key: api.ownerKey })).status;
    expect(await status('GET', monitorPath)).toBe(monitoringDashboard ? 200 : 404);
    expect(await status('POST', `${monitorPath}/tickets`)).toBe(monitoringDashboard ? 201 : 404);
    const dashboard = '/api/v1/contracts/dashboard';
    expect(await status('GET', dashboard)).toBe(monitoringDashboard ? 200 : 404);
    const here = { port: api.port, key: api.ownerKey };
    if (monitoringDashboard) await (await monitor(here)).close();
    else expect(await refusedDial(here)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('Old statuses continue to work: active, and archived in the end', async () => {
    const now = await send('GET', contract());
    expect(broken(now, old.getContract)).toEqual([]);
    expect(now.status).toBe('active');
    const listed = async (status: string) =>
      (await send('GET', `/contracts?status=${status}`)).items.map((one: { id: string }) => one.id);
    expect(await listed('active')).toEqual([of.detail.id]);
    const set = (targetStatus: string) => send('POST', contract('/status'), { targetStatus });
    await set('failed');
    await set('archived');
    expect(await listed('archived')).toEqual([of.detail.id]);
    const later = await send('GET', contract());
    expect(broken(later, old.getContract)).toEqual([]);
    expect(later.status).toBe('archived');
  });
});
