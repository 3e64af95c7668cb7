// The doors of a person: the command line as a real process, HTTP with keys of every scope, and MCP.
// Why: what works behind one door must work behind the others, with the exit codes that scripts rely on.
// Law: the command line sees nothing of the tester's environment; the goal itself carries the agent's script.
import { join } from 'node:path';
import { createClient } from '@makima/client/client';
import { CliStage, type Ran } from '@makima/cli/testing/cli';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import type { Event } from '@makima/contracts/entity/event';
import { Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document, hold, planOf, spawn, startContract, tell, type Step } from '../contract.ts';
import { expectInvariants, inOrder, type House } from '../house.ts';
import { filesOn, makeRepository } from '../repository.ts';

let house: House;
const person = new CliStage();

const finish: Step[] = [
  ...document('plan-document', 'PLAN.md'),
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
];
const work = spawn('work', [
  hold('go'),
  { write: { file: 'out/work.txt', content: 'done\n' } },
  { commit: 'Work' },
  { done: 'The work is done.' },
]);

const repoAt = (name: string): string => makeRepository(join(house.dir, 'doors', name));
const cli = (...args: string[]): Promise<Ran> => person.run(args);
async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, '-o', 'json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

/** Options of everything that is started here. */
const by = (name: string, repo: string): string[] => [
  '--name',
  name,
  '--repo',
  repo,
  '--agent',
  'scripted',
];

/** @param houseOf The makima in which it happens, once it stands. */
export function personsDoors(houseOf: () => House): void {
  beforeAll(() => {
    house = houseOf();
    person.url = house.url;
    person.key = house.ownerKey;
  });
  afterAll(() => person.remove());

  describe('the command line', () => {
    inOrder(() => house);

    it('runs a goal, leaves with 8 when a person is needed, takes the answer and completes', async () => {
      const repo = repoAt('hello');
      const steps: Step[] = [
        { ask: { question: 'Which greeting?', choices: ['hello', 'good day'] }, as: 'greeting' },
        { say: 'So it is ${greeting.response}.' },
        work,
        { wait: ['${work}'] },
        { merge: '${work}' },
        ...finish,
      ];
      const running = person.start(['run', '-', ...by('hello', repo), '--no-guard', '--watch'], {
        stdin: planOf(steps),
      });
      const { code, stdout, stderr } = await running.end;
      expect(code).toBe(8);
      expect(stderr).toMatch(/hello waits for a person/);
      const id = /makima answer (\S+)/.exec(stderr)?.[1] ?? '';
      expect(stdout).toContain('Which greeting?');
      const inbox = await json<{ items: { act: string; question: { id: string } }[] }>('inbox');
      expect(inbox.items).toMatchObject([{ kind: 'question', rank: 1, question: { id } }]);
      expect((await cli('why', 'hello')).stdout).toMatch(/question.*person.*Which greeting\?/);
      expect((await cli('answer', id, '3')).code).toBe(2);
      const answered = await cli('answer', id.slice(0, -2), '2');
      expect([answered.code, answered.stdout + answered.stderr]).toEqual([
        0,
        expect.stringContaining('good day'),
      ]);
      expect(await cli('answer', id, '1')).toMatchObject({
        code: expect.toSatisfy((n) => n === 6 || n === 7),
      });
      const watching = person.start(['watch', 'hello', '--new']);
      const tasks = await eventuallyTask('hello', 'work');
      await tell(house.client, tasks, 'go');
      const end = await watching.end;
      expect([end.code, end.stderr.split('\n')]).toEqual([
        0,
        [
          'hello is completed',
          expect.stringContaining('makima/hello is in the repository at '),
          `  git -C ${repo} merge makima/hello   takes it over`,
          '',
        ],
      ]);
      expect(filesOn(repo, 'makima/hello', 'out/')).toEqual(['out/work.txt']);
      // An old story is told whole and decides by what the contract is today.
      const again = await cli('watch', 'hello');
      expect(again.code).toBe(0);
      expect(again.stdout).toContain('good day');
    });

    it('ends a watched contract with 5 when somebody cancels it', async () => {
      const repo = repoAt('stopped');
      const running = person.start(
        ['run', planOf([hold('never')]), ...by('stopped', repo), '--watch', '--no-guard'],
        {},
      );
      await running.until('started');
      const refused = await cli('contracts', 'cancel', 'stopped', '--no-input');
      expect(refused.code).not.toBe(0);
      const cancelled = await cli('contracts', 'cancel', 'stopped', '--reason', 'enough', '--yes');
      expect(cancelled.code).toBe(0);
      expect(await running.end).toMatchObject({
        code: 5,
        stderr: expect.stringContaining('stopped is failed: cancelled: enough'),
      });
      const shown = await json<ContractDetail>('contracts', 'show', 'stopped');
      expect(shown).toMatchObject({ status: 'failed', failureReason: 'cancelled: enough' });
    });

    it('creates, lists, shows, starts, advances past a guard and follows the events', async () => {
      const repo = repoAt('guarded');
      const steps: Step[] = [
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute' },
        hold('finish'),
        { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
      ];
      const created = await json<ContractDetail>(
        'contracts',
        'create',
        planOf(steps),
        ...by('guarded', repo),
        '--no-start',
      );
      expect(created).toMatchObject({
        status: 'created',
        slug: 'guarded',
        guardedPhases: ['plan'],
      });
      expect((await cli('why', 'guarded')).stdout).toContain('not_started');
      expect((await cli('contracts', 'start', 'guarded')).code).toBe(0);
      const following = person.start(['events', '-f', '--contract', 'guarded', '-o', 'json']);
      await following.until('phase_confirmation');
      const waiting = await json<{ items: ContractDetail[] }>('contracts', 'list', '--waiting');
      expect(waiting.items.map(({ slug }) => slug)).toEqual(['guarded']);
      const refused = await cli('contracts', 'advance', 'guarded');
      expect(refused.code).toBe(6);
      expect(refused.stderr).toContain('makima contracts advance guarded --confirm');
      const moved = await json('contracts', 'advance', created.id.slice(0, -3), '--confirm');
      expect(moved).toMatchObject({ success: true, previousPhase: 'plan', phase: 'execute' });
      const ahead = await cli('contracts', 'advance', 'guarded', '--phase', 'execute', '--confirm');
      expect(ahead.code).toBe(6);
      const supervisor = await json<{ id: string }>(
        'tasks',
        'show',
        'guarded/guarded (supervisor)',
      );
      const told = await cli('tasks', 'message', supervisor.id, 'finish', '--mode', 'steer');
      expect(told.code).toBe(0);
      await following.until('"contract.completed"');
      following.child.kill('SIGINT');
      const { code, stdout } = await following.end;
      expect(code).toBe(130);
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Event);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      const output = await cli('tasks', 'output', supervisor.id);
      expect(output).toMatchObject({ code: 0, stdout: expect.stringContaining('makima_advance') });
      expect((await cli('contracts', 'show', 'nothing-like-this')).code).toBe(7);
      expect((await cli('contracts', 'lst')).code).toBe(2);
    });

    it('lists machines, and makes keys that may what their scopes say', async () => {
      const machines = await json<{ items: object[] }>('daemon', 'list');
      expect(machines.items).toMatchObject([{ status: 'connected', maxConcurrentTasks: 8 }]);
      const made = await json<{ key: string; info: { id: string } }>(
        'keys',
        'create',
        'reader',
        '--scope',
        'read',
      );
      expect(made.key).toMatch(/^mk_user_/);
      const reader = { env: { MAKIMA_TOKEN: made.key } };
      expect((await person.run(['contracts', 'list'], reader)).code).toBe(0);
      const denied = await person.run(['contracts', 'cancel', 'hello', '--yes'], reader);
      expect(denied.code).toBe(4);
      expect((await person.run(['keys', 'list'], reader)).code).toBe(4);
      const listed = await cli('keys', 'list');
      expect(listed.stdout).toContain('reader');
      expect(listed.stdout + listed.stderr).not.toContain(made.key);
      expect((await cli('keys', 'revoke', 'reader', '--yes')).code).toBe(0);
      expect((await person.run(['contracts', 'list'], reader)).code).toBe(4);
      const nobody = await person.run(['inbox'], { env: { MAKIMA_TOKEN: '' } });
      expect(nobody.code).toBe(4);
      const away = await person.run(['inbox', '--url', 'http://127.0.0.1:1']);
      expect(away.code).toBe(9);
    });
  });

  describe('the door for programs', () => {
    inOrder(() => house);

    it('offers the tools of a supervisor to a person over MCP', async () => {
      const client = new McpClient({ name: 'e2e', version: '1' });
      const headers = { authorization: `Bearer ${house.ownerKey}` };
      const url = new URL(`${house.url}/mcp`);
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
      const call = async (name: string, args: Record<string, unknown>): Promise<unknown> => {
        const result = await client.callTool({ name, arguments: args });
        expect(result.isError ?? false, JSON.stringify(result.content)).toBe(false);
        return result.structuredContent;
      };
      try {
        const { tools } = await client.listTools();
        const names = tools.map(({ name }) => name);
        for (const verb of [
          'spawn',
          'wait',
          'status',
          'list',
          'result',
          'merge',
          'diff',
          'advance',
        ])
          expect(names).toContain(`makima_${verb}`);
        // What needs an agent of one's own is not a person's.
        expect(names).not.toContain('makima_ask');
        const job = await startContract(house, [hold('finish'), ...finish], { name: 'by-mcp' });
        const contractId = job.id;
        expect(await call('makima_status', { contractId })).toMatchObject({
          kind: 'contract',
          status: 'active',
          phase: 'plan',
          ready: false,
        });
        const plan = planOf([
          { write: { file: 'out/mcp.txt', content: 'over MCP\n' } },
          { commit: 'Over MCP' },
          { done: 'It came over MCP.' },
        ]);
        const spawned = await call('makima_spawn', { contractId, name: 'over-mcp', plan });
        const { taskId } = spawned as { taskId: string };
        expect(await call('makima_wait', { taskIds: [taskId] })).toMatchObject({
          stillPending: false,
          tasks: [{ taskId, status: 'done', summary: 'It came over MCP.' }],
        });
        expect(await call('makima_diff', { taskId })).toMatchObject({
          diff: expect.stringContaining('+over MCP'),
        });
        expect(await call('makima_merge', { taskId })).toMatchObject({
          merged: true,
          conflicts: [],
        });
        const refused = await client.callTool({
          name: 'makima_advance',
          arguments: { contractId, phase: 'execute' },
        });
        expect(refused).toMatchObject({ isError: true });
        expect(JSON.stringify(refused.content)).toContain('VALIDATION_FAILED');
        await tell(house.client, job.supervisorId, 'finish');
        expect(await job.story.end()).toBe('completed');
        expect(filesOn(job.repo, job.branch, 'out/')).toEqual(['out/mcp.txt']);
        job.story.close();
      } finally {
        await client.close();
      }
    });

    it('has one answer for everybody who may not: 401, 403, 404, in problem+json', async () => {
      const { key } = await house.client.call('createKey', {
        body: { name: 'http-reader', scopes: ['read'] },
      });
      const reader = createClient({ baseUrl: house.url, key });
      const { items } = await reader.call('listContracts');
      const id = items[0]?.id ?? '';
      expect(await reader.call('whoAmI')).toMatchObject({ kind: 'person', scopes: ['read'] });
      await expect(
        reader.call('changePhase', { params: { id }, body: { phase: 'execute', confirmed: true } }),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(
        createClient({ baseUrl: house.url }).call('listContracts'),
      ).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
      const strange = '01890000-0000-7000-8000-000000000000';
      await expect(
        house.client.call('getContract', { params: { id: strange } }),
      ).rejects.toMatchObject({ code: 'CONTRACT_NOT_FOUND' });
      const response = await fetch(`${house.url}/api/v1/contracts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${house.ownerKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: '', unknown: 1 }),
      });
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({
        code: 'VALIDATION_FAILED',
        errors: expect.arrayContaining([expect.objectContaining({ pointer: '/name' })]),
        requestId: expect.any(String),
      });
      await expectInvariants(house);
    });
  });
}

/** The id of a task, by the command line, once it is there. */
async function eventuallyTask(contract: string, name: string): Promise<string> {
  const following = person.start(['events', '--follow', '--contract', contract, '-o', 'json']);
  await following.until(`"name":"${name}"`);
  following.child.kill('SIGINT');
  await following.end;
  const { items } = await json<{ items: { id: string; name: string }[] }>(
    'tasks',
    'list',
    contract,
  );
  return items.find((task) => task.name === name)?.id ?? '';
}
