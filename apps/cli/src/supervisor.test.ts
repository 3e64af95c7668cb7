/** `makima supervisor`: its words become calls of tools, in an agent's shell and for people. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startToolServer,
  type ToolHandler,
  type ToolServer,
} from '@makima/client/testing/tool-server';
import { MakimaError } from '@makima/domain/error';
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

/** An agent's shell, as its daemon makes it. */
async function inRun(tools: Readonly<Record<string, ToolHandler>>): Promise<ToolServer> {
  server = await startToolServer(tools);
  stage.url = server.url;
  stage.key = 'mkrun_abc';
  return server;
}

/** A person's shell, with a key of the server. */
async function asPerson(tools: Readonly<Record<string, ToolHandler>>): Promise<ToolServer> {
  server = await startToolServer(tools);
  stage.url = server.url.replace(/\/mcp$/, '');
  stage.key = 'mk_user_x';
  return server;
}

const one = '0199a2b3-7c1d-7000-8000-000000000001';
const two = '0199a2b3-7c1d-7000-8000-000000000002';
const listed = () => ({
  tasks: [
    { taskId: one, name: 'write-tests', status: 'running', attempt: 1 },
    { taskId: two, name: 'docs', status: 'pending', attempt: 0 },
  ],
});
const spawned = () => ({ taskId: one, name: 'write-tests', status: 'pending', note: '' });

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await stage.run(['supervisor', ...args]);
  const parsed = (text: string): any => (text === '' ? null : JSON.parse(text));
  return { code, out: parsed(stdout), err: parsed(stderr) };
};

describe('in the shell of an agent', () => {
  it('spawns with every field, names of tasks included, and prints JSON', async () => {
    const door = await inRun({ makima_list: listed, makima_spawn: spawned });
    const words = `--name write-tests --plan p --parent docs --needs write-tests --needs ${two}
      --continue-from docs --checkpoint ${'a'.repeat(40)} --repo https://x/y --base main --target t
      --copy-file .env --copy-file b --shared --on-done merge --loop --agent scripted --model m
      --priority 5 --description d --once key-1`;
    const { code, out, err } = await run('spawn', ...words.trim().split(/\s+/));
    expect({ code, out, err }).toEqual({ code: 0, out: spawned(), err: null });
    const call = door.calls.find(({ name }) => name === 'makima_spawn');
    expect(call).toMatchObject({ authorization: 'Bearer mkrun_abc', toolUseId: 'key-1' });
    expect(call?.args).toEqual({
      name: 'write-tests',
      plan: 'p',
      parentTaskId: two,
      needs: [one, two],
      continueFromTaskId: two,
      checkpointSha: 'a'.repeat(40),
      repositoryUrl: 'https://x/y',
      baseBranch: 'main',
      targetBranch: 't',
      copyFiles: ['.env', 'b'],
      ownWorktree: false,
      completionAction: 'merge',
      autonomousLoop: true,
      agent: 'scripted',
      model: 'm',
      priority: 5,
      description: 'd',
    });
  });

  it('reads a plan from stdin, and says what is missing', async () => {
    const door = await inRun({ makima_spawn: spawned });
    const { code } = await stage.run(['supervisor', 'spawn', '--name', 'a', '--plan', '-'], {
      stdin: 'much\nto do',
    });
    expect([code, door.calls[0]?.args['plan']]).toEqual([0, 'much\nto do']);
    const { code: usage, err } = await run('spawn', '--name', 'a');
    expect([usage, err.code, err.fix]).toEqual([
      2,
      'VALIDATION_FAILED',
      expect.stringContaining('--plan'),
    ]);
  });

  it('waits as each answer says until it is final', async () => {
    let calls = 0;
    const door = await inRun({
      makima_wait: ({ args }) => {
        calls += 1;
        const next = { name: 'makima_wait', args: { taskIds: args['taskIds'], waitId: two } };
        const ended = { taskId: one, name: 'a', status: 'done', completed: true };
        if (calls < 3) return { stillPending: true, waitId: two, tasks: [], next };
        return { stillPending: false, waitId: two, tasks: [ended] };
      },
    });
    const { code, out } = await run('wait', one, '--any');
    expect([code, out.stillPending]).toEqual([0, false]);
    expect(door.calls.map(({ args }) => args)).toEqual([
      { taskIds: [one], mode: 'any', timeoutSeconds: 100 },
      { taskIds: [one], waitId: two, timeoutSeconds: expect.any(Number) },
      { taskIds: [one], waitId: two, timeoutSeconds: expect.any(Number) },
    ]);
  });

  it('gives the handle when its time is over: exit 3; a task that ended badly: exit 5', async () => {
    const next = { name: 'makima_wait', args: { taskIds: [one], waitId: two } };
    const pending = { stillPending: true, waitId: two, tasks: [], next, note: 'not over' };
    const door = await inRun({ makima_wait: () => pending });
    expect(await run('wait', one, '--timeout', '0s')).toEqual({ code: 3, out: pending, err: null });
    await run('wait', one, '--timeout', '0s', '--handle', two);
    expect(door.calls[1]?.args).toMatchObject({ waitId: two, timeoutSeconds: 0 });
    await door.close();
    const late = { stillPending: false, waitId: two, timedOut: true, tasks: [] };
    const second = await inRun({ makima_wait: () => late });
    expect(await run('wait', one, '--expires', '2h')).toEqual({ code: 3, out: late, err: null });
    expect(second.calls[0]?.args).toMatchObject({ expiresInSeconds: 7_200 });
    await second.close();
    const failed = { taskId: one, name: 'a', status: 'failed', completed: true };
    await inRun({ makima_wait: () => ({ stillPending: false, waitId: two, tasks: [failed] }) });
    expect((await run('wait', one)).code).toBe(5);
  });

  it('asks, and follows its question; without waiting it goes on at once', async () => {
    const next = { name: 'makima_poll', args: { questionId: one } };
    const open = { stillPending: true, questionId: one, response: null, next };
    const door = await inRun({
      makima_ask: () => open,
      makima_poll: () => ({ stillPending: false, questionId: one, response: 'blue' }),
    });
    const asked = await run(
      'ask',
      'which',
      'one?',
      '--choice',
      'red',
      '--choice',
      'blue',
      '--multi',
    );
    expect([asked.code, asked.out.response]).toEqual([0, 'blue']);
    expect(door.calls[0]?.args).toMatchObject({
      question: 'which one?',
      choices: ['red', 'blue'],
      multiSelect: true,
      nonBlocking: false,
    });
    const quick = await run('ask', 'which?', '--no-wait');
    expect([quick.code, quick.out]).toEqual([0, open]);
    expect((await run('poll', one)).out.response).toBe('blue');
  });

  it('gives evidence of every kind', async () => {
    const done = () => ({ stillPending: false, deliverableId: 'x', completed: true, ready: true });
    const door = await inRun({ makima_list: listed, makima_deliverable: done });
    const evidence = ['--file', 'a.md', '--merged', 'docs', '--word', 'it is good'];
    const { code } = await run(
      'deliverable',
      'x',
      '--phase',
      'plan',
      ...evidence,
      '--',
      'npm',
      'test',
      '--ci',
    );
    expect(code).toBe(0);
    expect(door.calls[1]?.args).toEqual({
      deliverableId: 'x',
      phase: 'plan',
      evidence: [
        { kind: 'file', path: 'a.md' },
        { kind: 'merged', taskId: two },
        { kind: 'command', command: ['npm', 'test', '--ci'] },
        { kind: 'word', text: 'it is good' },
      ],
    });
  });

  it('a phase that a person sent back is a conflict', async () => {
    const back = { stillPending: false, advanced: false, phase: 'plan', response: 'more detail' };
    await inRun({ makima_advance: () => back });
    expect(await run('advance', 'execute')).toEqual({ code: 6, out: back, err: null });
  });

  it('says that the contract is complete, and hears that a person sent it back', async () => {
    const next = { name: 'makima_complete', args: { questionId: one } };
    const answers = [
      { stillPending: true, completed: false, status: 'waiting_for_input', response: null, next },
      { stillPending: false, completed: true, status: 'completing', response: 'Approve' },
      { stillPending: false, completed: false, status: 'active', response: 'Send back' },
    ];
    const [, done, back] = answers;
    const door = await inRun({ makima_complete: () => answers.shift() ?? {} });
    expect(await run('complete')).toEqual({ code: 0, out: done, err: null });
    expect(door.calls.map(({ args }) => args)).toEqual([
      { timeoutSeconds: 100 },
      { questionId: one, timeoutSeconds: expect.any(Number) },
    ]);
    expect(await run('complete')).toEqual({ code: 6, out: back, err: null });
  });

  it('a message has receipts, a task another attempt', async () => {
    const receipt = { messageId: two, taskId: one, state: 'delivered', attempt: 1 };
    const door = await inRun({
      makima_message: () => receipt,
      makima_retry: () => ({ taskId: one, name: 'a', status: 'pending', attempt: 1 }),
    });
    expect((await run('message', one, '--receipt', two, '--timeout', '10m')).out).toEqual(receipt);
    expect(door.calls[0]?.args).toEqual({ taskId: one, messageId: two, timeoutSeconds: 240 });
    expect(await run('message', one)).toMatchObject({
      code: 2,
      err: { code: 'VALIDATION_FAILED' },
    });
    expect((await run('retry', one)).out.status).toBe('pending');
  });

  it('a message, a cancel, a result, a tree, a status', async () => {
    const door = await inRun({
      makima_list: listed,
      makima_message: () => ({ messageId: two, taskId: one, state: 'queued' }),
      makima_cancel: () => ({ taskId: one, name: 'write-tests', status: 'cancelled' }),
      makima_result: () => ({ taskId: one, name: 'write-tests', status: 'done', attempt: 1 }),
      makima_tree: () => ({ tree: 'supervisor' }),
      makima_status: () => ({ kind: 'contract', id: two }),
    });
    expect((await run('message', 'write', '--mode', 'steer', 'use', 'vitest')).out.state).toBe(
      'queued',
    );
    expect(door.calls.at(-1)?.args).toEqual({ taskId: one, text: 'use vitest', mode: 'steer' });
    expect((await run('cancel', 'docs', '--reason', 'no')).code).toBe(0);
    expect(door.calls.at(-1)?.args).toEqual({ taskId: two, reason: 'no' });
    for (const verb of [['result', one], ['tree'], ['status'], ['list']]) {
      expect((await run(...verb)).code, verb.join(' ')).toBe(0);
    }
  });

  it('errors keep their code and their exit', async () => {
    const refuse = (code: 'NOT_SUPERVISOR' | 'INVALID_TRANSITION') => () => {
      throw new MakimaError(code, 'no', { fix: 'do otherwise' });
    };
    await inRun({
      makima_list: listed,
      makima_cancel: refuse('INVALID_TRANSITION'),
      makima_tree: refuse('NOT_SUPERVISOR'),
    });
    const cancelled = await run('cancel', one);
    expect(cancelled).toMatchObject({
      code: 6,
      out: null,
      err: { code: 'INVALID_TRANSITION', fix: 'do otherwise', exitCode: 6 },
    });
    expect(await run('tree')).toMatchObject({ code: 4, err: { code: 'NOT_SUPERVISOR' } });
    expect(await run('cancel', 'nobody')).toMatchObject({
      code: 2,
      err: { fix: 'makima supervisor list' },
    });
    expect(await run('result', '0199a2b3')).toMatchObject({ code: 2, err: { exitCode: 2 } });
  });

  it('has no door for what people do, and its help does not name it', async () => {
    await inRun({});
    for (const words of [
      ['contracts', 'list'],
      ['answer', one, 'yes'],
      ['daemon', 'start'],
      ['keys', 'create', 'mine', '--url', 'http://127.0.0.1:1'],
      ['events', '--follow'],
    ]) {
      const { code, stdout, stderr } = await stage.run(words);
      expect([code, stdout]).toEqual([4, '']);
      expect(stderr).toContain('is for people: this is the shell of an agent');
      expect(stderr).toContain('makima supervisor --help');
    }
    expect(server?.calls).toEqual([]);
    const { stdout } = await stage.run(['--help']);
    expect(stdout).toContain('supervisor');
    expect(stdout).not.toMatch(/^ {2}(contracts|answer|daemon|keys|inbox)\b/m);
    // Nor is it told of them by way of a slip: a person's shell is.
    expect((await stage.run(['revoke'])).stderr).toMatch(/fix {3}makima --help/);
    expect((await stage.run(['spawn'])).stderr).toContain('did you mean makima supervisor spawn?');
  });

  it('goes on with no key that lies around when it has lost its own', async () => {
    await inRun({});
    stage.key = undefined;
    const { code, stderr } = await stage.run(['supervisor', 'list'], {
      env: { MAKIMA_RUN_ID: 'r' },
    });
    expect(code).toBe(4);
    expect(stderr).toContain('without the token of its run');
  });
});

describe('for people', () => {
  it('goes to the server with their key, and names the contract', async () => {
    const door = await asPerson({ makima_list: listed, makima_spawn: spawned });
    const { code, out } = await run('list', '--contract', two);
    expect([code, out]).toEqual([0, listed()]);
    expect(door.calls[0]).toMatchObject({
      args: { contractId: two },
      authorization: 'Bearer mk_user_x',
    });
    expect(await run('list')).toMatchObject({
      code: 2,
      out: null,
      err: { code: 'VALIDATION_FAILED', fix: 'add --contract <id or slug>' },
    });
  });

  it('prints words when asked for them', async () => {
    await asPerson({
      makima_list: listed,
      makima_tree: () => ({ tree: 'lead [running] x\n  a [done] y' }),
      makima_result: () => ({ name: 'a', status: 'done', attempt: 2, summary: 'made it' }),
    });
    const words = async (...args: string[]) =>
      (await stage.run(['supervisor', ...args, '-o', 'table'])).stdout;
    expect(await words('list', '--contract', two)).toContain(`${one}\twrite-tests\trunning\t1`);
    expect(await words('tree', '--contract', two)).toBe('lead [running] x\n  a [done] y\n');
    expect(await words('result', one)).toContain('summary\tmade it');
  });

  it('without a key says how to get one', async () => {
    server = await startToolServer(
      {},
      {
        intercept: (_request, response) => {
          response.writeHead(401, { 'content-type': 'application/json' }).end('{}');
          return true;
        },
      },
    );
    stage.url = server.url.replace(/\/mcp$/, '');
    expect(await run('tree', '--contract', two)).toMatchObject({
      code: 4,
      err: { code: 'UNAUTHENTICATED', fix: expect.stringContaining('MAKIMA_TOKEN') },
    });
  });
});
