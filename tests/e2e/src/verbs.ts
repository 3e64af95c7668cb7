// What a supervisor does about its tasks, each verb as each door says it.
// Why: whoever leads a contract, an agent or a person, must find the same behind each door.
// Law: a verb is one entry of the list, with what of its answer has to be the same, and one outcome. To add one
// about a task of the door's own, add both here; one about the contract is a step of the test.
import { eventually } from './patience.ts';
import type { Ground, Value, Verb } from './verb-doors.ts';

/** The id of a task that is not there. */
const nobodys = '01990000-0000-7000-8000-000000000000';

const params = ({ pieceId }: Ground) => ({ params: { id: pieceId } });
const piece = ({ pieceId }: Ground) => ({ taskId: pieceId });
const nameOf = ({ door }: Ground): string => `${door}-piece`;

/** The depth at which a tool's tree shows a task. */
function depthIn(tree: string, taskId: string): number {
  const line = tree.split('\n').find((each) => each.endsWith(taskId)) ?? '';
  return (line.length - line.trimStart().length) / 2;
}

function depthBelow(nodes: readonly Value[], taskId: string): number | undefined {
  for (const { id, depth, children } of nodes) {
    const found = id === taskId ? (depth as number) : depthBelow(children as Value[], taskId);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A plan that waits for a word, works, and ends; and one that stays. */
export interface Plans {
  readonly works: string;
  readonly stays: string;
}

export const spawning = (name: string, plan: string, more: Value = {}): Omit<Verb, 'same'> => ({
  name,
  http: ({ client, contractId, door }) =>
    client.call('spawnTask', { body: { name: `${door}-${name}`, plan, contractId, ...more } }),
  tool: 'makima_spawn',
  args: ({ door }) => ({ name: `${door}-${name}`, plan, ...more }),
  cli: ({ door }) => [
    'spawn',
    '--name',
    `${door}-${name}`,
    '--plan',
    plan,
    ...(more['parentTaskId'] === undefined ? [] : ['--parent', more['parentTaskId'] as string]),
    ...(more['repositoryUrl'] === undefined ? [] : ['--repo', more['repositoryUrl'] as string]),
    ...((more['needs'] ?? []) as string[]).flatMap((need) => ['--needs', need]),
  ],
});

/** About a task that works and ends, in their order. */
const ofPiece: readonly Verb[] = [
  {
    name: 'list',
    http: ({ client, contractId: id }) => client.call('listContractTasks', { params: { id } }),
    tool: 'makima_list',
    args: () => ({}),
    cli: () => ['list'],
    same: (value, ground) => {
      const items = (value['items'] ?? value['tasks']) as Value[];
      const mine = items.find((task) => (task['id'] ?? task['taskId']) === ground.pieceId);
      return [mine?.['name'] === nameOf(ground), mine?.['isSupervisor'] ?? false];
    },
  },
  {
    name: 'tree',
    http: ({ client, contractId: id }) => client.call('contractTree', { params: { id } }),
    tool: 'makima_tree',
    args: () => ({}),
    cli: () => ['tree'],
    same: ({ roots, tree }, { pieceId }) =>
      roots === undefined ? depthIn(tree as string, pieceId) : depthBelow(roots, pieceId),
  },
  {
    name: 'wait that gives its handle',
    http: ({ client, pieceId }) =>
      client.call('waitForTasks', { body: { taskIds: [pieceId], timeoutSeconds: 0 } }),
    tool: 'makima_wait',
    args: ({ pieceId }) => ({ taskIds: [pieceId], timeoutSeconds: 0 }),
    cli: (ground) => ['wait', nameOf(ground), '--timeout', '0s'],
    same: ({ tasks, waitId, timedOut }) => [typeof waitId, timedOut, tasks[0].completed],
  },
  {
    name: 'message',
    http: async (ground) => {
      const { client } = ground;
      const body = { message: 'go', mode: 'steer' } as const;
      const sent = await client.call('messageTask', { ...params(ground), body });
      return eventually(
        () => client.call('getMessage', { params: { id: sent.messageId } }),
        ({ state }) => state === 'delivered',
        { what: 'the receipt' },
      );
    },
    tool: 'makima_message',
    args: (ground) => ({ ...piece(ground), text: 'go', mode: 'steer', timeoutSeconds: 60 }),
    cli: (ground) => ['message', nameOf(ground), '--mode', 'steer', '--timeout', '60s', 'go'],
    same: ({ taskId, state, attempt }, { pieceId }) => [taskId === pieceId, state, attempt],
  },
  {
    name: 'wait',
    http: ({ client, pieceId }) =>
      client.call('waitForTasks', { body: { taskIds: [pieceId], timeoutSeconds: 60 } }),
    tool: 'makima_wait',
    args: ({ pieceId }) => ({ taskIds: [pieceId], timeoutSeconds: 60 }),
    cli: (ground) => ['wait', nameOf(ground)],
    same: ({ tasks }) => {
      const [{ status, completed, summary, outputSummary }] = tasks;
      return [status, completed, summary ?? outputSummary];
    },
  },
  {
    name: 'result',
    http: (ground) => ground.client.call('getTask', params(ground)),
    tool: 'makima_result',
    args: piece,
    cli: (ground) => ['result', nameOf(ground)],
    same: ({ status, attempt, summary, outputSummary, commitSha, attempts }) => [
      status,
      attempt,
      summary ?? outputSummary,
      typeof commitSha,
      attempts.map((each: Value) => each['state']),
    ],
  },
  {
    name: 'message to one that is over',
    http: (ground) =>
      ground.client.call('messageTask', { ...params(ground), body: { message: 'again' } }),
    tool: 'makima_message',
    args: (ground) => ({ ...piece(ground), text: 'again' }),
    cli: (ground) => ['message', nameOf(ground), 'again'],
    same: () => 'it took a message',
  },
  {
    name: 'retry of one that is over',
    http: (ground) => ground.client.call('retryTask', params(ground)),
    tool: 'makima_retry',
    args: piece,
    cli: (ground) => ['retry', nameOf(ground)],
    same: () => 'it was begun again',
  },
];

/** About the code of a task that is done, in their order. */
const ofCode: readonly Verb[] = [
  {
    name: 'checkpoint',
    http: (ground) =>
      ground.client.call('createCheckpoint', { ...params(ground), body: { message: 'as it is' } }),
    tool: 'makima_checkpoint',
    args: (ground) => ({ ...piece(ground), message: 'as it is' }),
    cli: (ground) => ['checkpoint', 'as', 'it', 'is', '--task', nameOf(ground)],
    same: ({ checkpointNumber, commitSha }) => [checkpointNumber, commitSha.length],
  },
  {
    name: 'checkpoints',
    http: (ground) => ground.client.call('listCheckpoints', params(ground)),
    tool: 'makima_checkpoints',
    args: piece,
    cli: (ground) => ['checkpoints', nameOf(ground)],
    same: ({ items, checkpoints }) =>
      (items ?? checkpoints).map((each: Value) => [
        each['checkpointNumber'],
        each['message'],
        each['filesChanged'],
        each['linesAdded'],
        each['linesRemoved'],
      ]),
  },
  {
    name: 'read-file',
    http: (ground) =>
      ground.client.call('readTaskFile', { ...params(ground), body: { filePath: made(ground) } }),
    tool: 'makima_read_file',
    args: (ground) => ({ ...piece(ground), filePath: made(ground) }),
    cli: (ground) => ['read-file', nameOf(ground), made(ground)],
    same: ({ exists, content }) => [exists, content],
  },
  {
    name: 'read-file outside',
    http: (ground) =>
      ground.client.call('readTaskFile', { ...params(ground), body: { filePath: '../x' } }),
    tool: 'makima_read_file',
    args: (ground) => ({ ...piece(ground), filePath: '../x' }),
    cli: (ground) => ['read-file', nameOf(ground), '../x'],
    same: () => 'it was read',
  },
  {
    name: 'diff',
    http: (ground) => ground.client.call('diffTask', params(ground)),
    tool: 'makima_diff',
    args: piece,
    cli: (ground) => ['diff', nameOf(ground)],
    same: ({ diff, files, stats, truncated, cut }, ground) => [
      diff.includes('+made'),
      files.map((file: Value) => [file['path'] === made(ground), file['action']]),
      stats,
      truncated ?? cut,
    ],
  },
  {
    name: 'merge',
    http: (ground) =>
      ground.client.call('mergeTask', { ...params(ground), body: { squash: true } }),
    tool: 'makima_merge',
    args: (ground) => ({ ...piece(ground), squash: true }),
    cli: (ground) => ['merge', nameOf(ground), '--squash'],
    same: ({ merged, success, message, commitSha, conflicts }) => [
      merged ?? success,
      message,
      commitSha.length,
      conflicts,
    ],
  },
  {
    name: 'merge again',
    http: (ground) => ground.client.call('mergeTask', { ...params(ground), body: {} }),
    tool: 'makima_merge',
    args: piece,
    cli: (ground) => ['merge', nameOf(ground)],
    same: ({ merged, success, message }) => [merged ?? success, message.slice(0, 27)],
  },
  {
    name: 'merge into a stranger’s branch',
    http: (ground) =>
      ground.client.call('mergeTask', { ...params(ground), body: { targetBranch: 'a..b' } }),
    tool: 'makima_merge',
    args: (ground) => ({ ...piece(ground), targetBranch: 'a..b' }),
    cli: (ground) => ['merge', nameOf(ground), '--into', 'a..b'],
    same: () => 'it was merged',
  },
  {
    name: 'branch',
    http: ({ client, contractId, door }) =>
      client.call('createBranch', { body: { contractId, branchName: door, fromRef: 'main' } }),
    tool: 'makima_branch',
    args: ({ door }) => ({ branchName: door, fromRef: 'main' }),
    cli: ({ door }) => ['branch', door, '--from', 'main'],
    same: ({ success, branchName }, { door }) => [success, branchName === `makima/led.${door}`],
  },
  {
    name: 'branch of a strange name',
    http: ({ client, contractId }) =>
      client.call('createBranch', { body: { contractId, branchName: 'a..b' } }),
    tool: 'makima_branch',
    args: () => ({ branchName: 'a..b' }),
    cli: () => ['branch', 'a..b'],
    same: () => 'it was made',
  },
  {
    name: 'pr without a remote',
    http: ({ client, contractId }) =>
      client.call('createPullRequest', { body: { contractId, branch: 'makima/led', title: 't' } }),
    tool: 'makima_pr',
    args: () => ({ branch: 'makima/led', title: 't' }),
    cli: () => ['pr', 'makima/led', '--title', 't'],
    same: () => 'it was opened',
  },
];

const made = ({ pieceId }: Ground): string => `out/${pieceId}.txt`;

/** About a task that stays until it is cancelled, in their order. */
const ofStaying: readonly Verb[] = [
  {
    name: 'cancel',
    http: (ground) =>
      ground.client.call('cancelTask', { ...params(ground), body: { reason: 'enough' } }),
    tool: 'makima_cancel',
    args: (ground) => ({ ...piece(ground), reason: 'enough' }),
    cli: ({ door }) => ['cancel', `${door}-stays`, '--reason', 'enough'],
    same: ({ status }) => status,
  },
  {
    name: 'cancel of one that is over',
    http: (ground) => ground.client.call('cancelTask', { ...params(ground), body: {} }),
    tool: 'makima_cancel',
    args: piece,
    cli: ({ door }) => ['cancel', `${door}-stays`],
    same: () => 'it was cancelled twice',
  },
  {
    name: 'wait for nobody’s task',
    http: ({ client }) => client.call('waitForTasks', { body: { taskIds: [nobodys] } }),
    tool: 'makima_wait',
    args: () => ({ taskIds: [nobodys] }),
    cli: () => ['wait', nobodys],
    same: () => 'it waited',
  },
];

/** Each begins where the one before it ended. */
export const pieceVerbs = (plans: Plans): readonly Verb[] => [
  {
    ...spawning('piece', plans.works),
    same: (value, ground) => {
      ground.pieceId = (value['id'] ?? value['taskId']) as string;
      return [value['name'] === nameOf(ground), value['status']];
    },
  },
  ...ofPiece,
  ...ofCode,
  {
    ...spawning('stays', plans.stays),
    same: (value, ground) => {
      ground.pieceId = (value['id'] ?? value['taskId']) as string;
      return value['status'];
    },
  },
  ...ofStaying,
  {
    ...spawning('nowhere', plans.works, { repositoryUrl: 'https://git.example.com/none.git' }),
    same: () => 'it has a repository that the contract does not have',
  },
  {
    ...spawning('foreign', plans.works, { parentTaskId: nobodys }),
    same: () => 'it has a parent of somebody else',
  },
];

/** How each verb has to end, whichever door it was said at. */
export const pieceOutcomes: Readonly<Record<string, unknown>> = {
  piece: [true, 'pending'],
  list: [true, false],
  tree: 1,
  'wait that gives its handle': ['string', false, false],
  message: [true, 'delivered', 1],
  wait: ['done', true, 'The piece is made.'],
  result: ['done', 1, 'The piece is made.', 'string', ['done']],
  'message to one that is over': { code: 'INVALID_TRANSITION' },
  'retry of one that is over': { code: 'INVALID_TRANSITION' },
  checkpoint: [1, 40],
  checkpoints: [[1, 'as it is', 1, 1, 0]],
  'read-file': [true, 'made\n'],
  'read-file outside': { code: 'VALIDATION_FAILED' },
  diff: [true, [[true, 'added']], { filesChanged: 1, insertions: 1, deletions: 0 }, false],
  merge: [true, 'Merged as one commit', 40, []],
  'merge again': [true, 'It is in the branch already'],
  'merge into a stranger’s branch': { code: 'VALIDATION_FAILED' },
  branch: [true, true],
  'branch of a strange name': { code: 'VALIDATION_FAILED' },
  'pr without a remote': { code: 'COMMAND_FAILED' },
  stays: 'pending',
  cancel: 'cancelled',
  'cancel of one that is over': { code: 'INVALID_TRANSITION' },
  nowhere: { code: 'MISSING_REPO_URL' },
  foreign: { code: 'NOT_FOUND' },
  'wait for nobody’s task': { code: 'NOT_FOUND' },
};
