/** `makima supervisor` with code: words become calls, answers become text or JSON, and exit codes tell. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startToolServer,
  type ToolHandler,
  type ToolServer,
} from '@makima/client/testing/tool-server';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: ToolServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
  stage.url = undefined;
  stage.key = undefined;
});
afterAll(() => stage.remove());

const one = '0199a2b3-7c1d-7000-8000-000000000001';
const sha = 'a'.repeat(40);
const listed = () => ({ tasks: [{ taskId: one, name: 'docs', status: 'done', attempt: 1 }] });

async function inRun(tools: Readonly<Record<string, ToolHandler>>): Promise<ToolServer> {
  server = await startToolServer({ makima_list: listed, ...tools });
  stage.url = server.url;
  stage.key = 'mkrun_abc';
  return server;
}

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await stage.run(['supervisor', ...args]);
  return { code, out: stdout === '' ? null : JSON.parse(stdout), err: stderr };
};
const argsOf = (door: ToolServer, name: string): unknown =>
  door.calls.find((call) => call.name === name)?.args;

describe('in the shell of an agent', () => {
  it.each([
    [
      ['read-file', 'docs', 'a/b.md', '--from', '5', '--lines', '10'],
      'makima_read_file',
      { taskId: one, filePath: 'a/b.md', fromLine: 5, lines: 10 },
    ],
    [['checkpoint', 'half', 'way'], 'makima_checkpoint', { message: 'half way' }],
    [
      ['checkpoint', 'x', '--task', 'docs', '--once', 'k'],
      'makima_checkpoint',
      { message: 'x', taskId: one },
    ],
    [['checkpoints'], 'makima_checkpoints', {}],
    [['checkpoints', 'docs'], 'makima_checkpoints', { taskId: one }],
    [
      ['branch', 'try-two', '--from', 'main'],
      'makima_branch',
      { branchName: 'try-two', fromRef: 'main' },
    ],
    [['merge', 'docs'], 'makima_merge', { taskId: one, squash: false }],
    [
      ['merge', one, '--into', 'makima/x.y', '--squash'],
      'makima_merge',
      { taskId: one, targetBranch: 'makima/x.y', squash: true },
    ],
    [['diff', 'docs'], 'makima_diff', { taskId: one }],
    [
      ['pr', 'try-two', '--title', 'Two', '--body', 'words', '--contract', one],
      'makima_pr',
      { contractId: one, branch: 'try-two', title: 'Two', body: 'words' },
    ],
  ])('%j is one call', async (words, name, args) => {
    const final = { stillPending: false, merged: true, success: true, exists: true };
    const door = await inRun({ [name]: () => final });
    const { code, out } = await run(...words);
    expect([code, out]).toEqual([0, final]);
    expect(argsOf(door, name)).toEqual(args);
  });

  it('goes on as the answer says, with a person asked on the way', async () => {
    const answers = [
      { stillPending: true, note: 'asked', next: { name: 'makima_pr', args: { questionId: one } } },
      {
        stillPending: true,
        note: 'at work',
        next: { name: 'makima_pr', args: { operationId: one } },
      },
      { stillPending: false, success: true, message: 'open', prUrl: 'https://x/y/pull/7' },
    ];
    const door = await inRun({ makima_pr: () => answers.shift() ?? {} });
    expect(await run('pr', 'b', '--title', 't')).toMatchObject({ code: 0, out: { success: true } });
    expect(door.calls.map(({ args }) => args)).toEqual([
      { branch: 'b', title: 't' },
      { questionId: one },
      { operationId: one },
    ]);
  });

  it('tells by its exit code what became of it', async () => {
    const conflict = { path: 'a', ours: 'o', theirs: 't', hunks: ['<<<<<<<'] };
    const denied = { stillPending: false, merged: false, success: false, message: 'denied' };
    const pending = { stillPending: true, note: 'wait', next: { name: 'makima_merge', args: {} } };
    await inRun({
      makima_merge: ({ args }) =>
        args['squash'] === true
          ? { ...denied, conflicts: [conflict] }
          : { ...denied, conflicts: [] },
      makima_pr: () => denied,
      makima_diff: () => pending,
      makima_read_file: () => ({ exists: false, content: '', nextLine: null }),
    });
    expect((await run('merge', one, '--squash')).code).toBe(6);
    expect((await run('merge', one)).code).toBe(4);
    expect((await run('pr', 'b', '--title', 't')).code).toBe(4);
    expect((await run('diff', one, '--timeout', '0s')).code).toBe(3);
    expect((await run('read-file', one, 'none')).code).toBe(7);
  });

  it('says what is missing', async () => {
    await inRun({});
    const { code, err } = await run('pr', 'b');
    expect([code, JSON.parse(err).fix]).toEqual([2, expect.stringContaining('--title')]);
  });
});

describe('for a person', () => {
  const asPerson = async (...args: string[]) => {
    const { code, stdout, stderr } = await stage.run(['supervisor', ...args, '-o', 'table']);
    return { code, stdout, stderr };
  };
  const serve = async (tools: Readonly<Record<string, ToolHandler>>): Promise<void> => {
    server = await startToolServer(tools);
    stage.url = server.url.replace(/\/mcp$/, '');
    stage.key = 'mk_user_x';
  };

  it('shows both sides of a conflict, without what an agent hid in them', async () => {
    const conflicts = [
      {
        path: 'a.ts',
        ours: 'o',
        theirs: 't',
        hunks: ['<<<<<<< x\nours\u001b[31m\n=======\ntheirs\n>>>>>>> y'],
      },
      { path: 'gone.ts', ours: 'kept', theirs: null, hunks: [] },
    ];
    await serve({
      makima_merge: () => ({ merged: false, message: 'Conflicts in 2 files', conflicts }),
    });
    const { code, stdout } = await asPerson('merge', one);
    expect(code).toBe(6);
    expect(stdout).toContain('Conflicts in 2 files');
    expect(stdout).toContain('a.ts\n<<<<<<< x\nours\n=======\ntheirs');
    expect(stdout).toContain('gone.ts\nours: kept\ntheirs: -');
    expect(stdout).not.toContain('\u001b[31m');
  });

  it('shows files, diffs, checkpoints and what was made', async () => {
    await serve({
      makima_read_file: () => ({ exists: true, content: 'line one\nline two', nextLine: 3 }),
      makima_diff: () => ({ diff: '--- a/x\n+++ b/x\n', cut: true }),
      makima_merge: () => ({ merged: true, message: 'Merged', commitSha: sha, conflicts: [] }),
      makima_branch: () => ({ message: 'makima/x.y stands at aaaa' }),
      makima_checkpoint: () => ({ checkpointNumber: 2, commitSha: sha }),
      makima_checkpoints: () => ({
        checkpoints: [
          {
            checkpointNumber: 1,
            commitSha: sha,
            message: 'half',
            filesChanged: 2,
            linesAdded: 3,
            linesRemoved: 1,
            createdAt: '2026-01-01T00:00:00.000Z',
          },
        ],
      }),
      makima_pr: () => ({ success: true, message: '#7 is open', prUrl: 'https://x/y/pull/7' }),
    });
    const file = await asPerson('read-file', one, 'a');
    expect(file).toMatchObject({ stdout: 'line one\nline two\n', stderr: 'more: --from 3\n' });
    expect(await asPerson('diff', one)).toMatchObject({
      stdout: '--- a/x\n+++ b/x\n',
      stderr: expect.stringContaining('cut off'),
    });
    expect((await asPerson('merge', one)).stdout).toContain(`Merged: ${sha}`);
    expect((await asPerson('branch', 'y', '--contract', one)).stdout).toContain('stands at');
    expect((await asPerson('checkpoint', 'x', '--task', one)).stdout).toContain(`at ${sha}`);
    const rows = (await asPerson('checkpoints', one)).stdout;
    expect(rows.split('\t').slice(0, 5)).toEqual(['1', sha, 'half', '2', '+3 -1']);
    const pr = await asPerson('pr', 'b', '--title', 't', '--contract', one);
    expect(pr.stdout).toBe('#7 is open: https://x/y/pull/7\n');
  });

  it('asks for the task or contract that it needs', async () => {
    await serve({});
    for (const words of [
      ['checkpoint', 'x'],
      ['checkpoints'],
      ['branch', 'b'],
      ['pr', 'b', '--title', 't'],
    ])
      expect((await asPerson(...words)).code, words[0]).toBe(2);
  });
});
