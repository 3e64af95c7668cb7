// An agent that means harm, with everything that it can find: it passes no guard, reads nothing of others,
// and finds no key. And no key comes to rest anywhere.
// Why: agents read what strangers wrote; sooner or later one of them does what a stranger wants.
// Law: the thief is a real program of a real agent (thief.ts); what it gets is told as status and code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document, hold, spawn, startContract, taskNamed, tell, type Started } from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { every } from './pages.ts';
import { eventually } from './patience.ts';
import { descendantsOf, shownBy } from './process-tree.ts';
import { placesOf } from './secrets.ts';

const canary = 'canary-5d1c0b7e94';
const thief = join(import.meta.dirname, 'thief.ts');

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: {
      LOG_LEVEL: 'trace',
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      // What lies about in the environment of whoever starts makima.
      AWS_SECRET_ACCESS_KEY: canary,
      GITHUB_TOKEN: canary,
      MAKIMA_TOKEN: canary,
      MAKIMA_SECRET: canary,
      PGPASSWORD: canary,
    },
  });
});
afterAll(() => house.close());

interface Loot {
  readonly answers: Readonly<Record<string, string>>;
  readonly environment: readonly string[];
}

async function linesOf(id: string): Promise<string[]> {
  const items = await every((after) =>
    house.client.call('listTaskOutput', { params: { id }, query: { limit: 200, ...after } }),
  );
  return items.map(({ content }) => content);
}

describe('a thief', () => {
  inOrder(() => house);
  let victim: Started;
  let job: Started;
  let loot: Loot;
  let questionId: string;

  it('is let loose at an open guard', async () => {
    const tokenFile = join(house.dir, 'dead-token');
    victim = await startContract(house, [hold('finish')], { name: 'victim' });
    job = await startContract(
      house,
      [
        // One run leaves its token behind and ends.
        spawn('careless', [
          {
            run: [
              'sh',
              '-c',
              `printf %s "$MAKIMA_TOKEN" > '${tokenFile}'; echo "token=$MAKIMA_TOKEN"`,
            ],
          },
          { done: 'gone' },
        ]),
        { wait: ['${careless}'] },
        spawn('thief', [
          { wait_message: { containing: '{' }, as: 'told' },
          { run: [process.execPath, thief, '${told.text}'] },
          { done: 'I tried.' },
        ]),
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute' },
        { wait: ['${thief}'] },
        { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
      ],
      { name: 'robbed', phaseGuard: true },
    );
    const asked = await job.story.until('question.asked');
    questionId = String(asked.data['questionId']);
    const thiefId = await taskNamed(job, 'thief');
    await job.story.until('task.started', ({ taskId }) => taskId === thiefId);
    const told = {
      api: house.url,
      questionId,
      contractId: job.id,
      supervisorId: job.supervisorId,
      foreignContractId: victim.id,
      foreignTaskId: victim.supervisorId,
      deadTokenFile: tokenFile,
    };
    expect(readFileSync(tokenFile, 'utf8')).toMatch(/^mkrun_/);
    await tell(house.client, thiefId, JSON.stringify(told));
    const line = await eventually(
      async () => (await linesOf(thiefId)).find((text) => text.startsWith('{"code":0,')),
      (found) => found !== undefined,
      { what: 'the loot' },
    );
    loot = JSON.parse((JSON.parse(line ?? '') as { output: string }).output) as Loot;
  });

  it('and every agent, daemon and service beside it shows no secret of makima to `ps`', () => {
    const { processes, addresses, options } = house.stack;
    const held = readdirSync(options.home.secrets).map((name) =>
      readFileSync(join(options.home.secrets, name), 'utf8').trim(),
    );
    expect(held).toContain(addresses.databaseUrl);
    expect(held).toContain(addresses.redisUrl);
    const pids = descendantsOf([...processes.values()].map((one) => one.pid ?? 0));
    const seen = new Map(pids.map((pid) => [pid, shownBy(pid)] as const));
    const agents = [...seen.values()].filter((text) => text.includes('MAKIMA_TASK_ID='));
    expect(agents.length).toBeGreaterThanOrEqual(2);
    expect(seen.size).toBeGreaterThan(processes.size);
    const key = /mk_(?:tool|daemon|user|join)_|(?:postgres(?:ql)?|rediss?):\/\/[^\s\0]*@/;
    const places = [...seen].filter(
      ([, text]) => key.test(text) || held.some((secret) => text.includes(secret)),
    );
    expect(places.map(([pid]) => seen.get(pid)?.split('\0', 3))).toEqual([]);
  });

  it('gets nothing from the API with what an agent has', () => {
    expect(loot.answers).toMatchObject({
      'api: read my contract': '401 UNAUTHENTICATED',
      'api: confirm': '401 UNAUTHENTICATED',
      'api: answer': '401 UNAUTHENTICATED',
      'api: answer without a key': '401 UNAUTHENTICATED',
      'api: tools': expect.stringMatching(/^401/),
      'api: make a key': '401 UNAUTHENTICATED',
    });
  });

  it('does not get in at the daemon without the token of a living run', () => {
    expect(loot.answers).toMatchObject({
      'door: no token': '401',
      'door: another token': '401',
      'door: token of the dead': '401',
      'door: from a browser': '403',
      'door: by another name': '421',
      'door: elsewhere': '404',
    });
  });

  it('has the few tools of a task and no more', () => {
    expect(loot.answers).toMatchObject({
      'task: tools': '200 makima_checkpoint makima_checkpoints makima_status',
      'task: advance': '200 NOT_SUPERVISOR',
      'task: spawn': '200 NOT_SUPERVISOR',
      'task: ask': '200 NOT_SUPERVISOR',
      'task: cancel': '200 NOT_SUPERVISOR',
      'task: checkpoint of another': '200 NOT_FOUND',
    });
  });

  it('cannot confirm or look elsewhere even as the supervisor whose token it took', () => {
    expect(loot.answers).toMatchObject({
      'stolen: confirm': '200 refused',
      'stolen: force': '200 refused',
      'stolen: foreign status': '200 CONTRACT_NOT_FOUND',
      'stolen: foreign spawn': '200 CONTRACT_NOT_FOUND',
      'stolen: foreign result': '200 NOT_FOUND',
      'stolen: foreign file': '200 NOT_FOUND',
      'stolen: api': '401 UNAUTHENTICATED',
    });
    expect(loot.answers['stolen: tools']).not.toMatch(/answer|confirm/);
  });

  it('finds no secret in its environment, and makima its own in no output', async () => {
    const allowed =
      /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLORTERM|TMPDIR|PWD|SHLVL|_|XDG_\w+|\w+_proxy|\w+_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|JAVA_HOME|GO\w+|CARGO_HOME|RUSTUP_HOME|PNPM_HOME|NVM_DIR|GIT_\w+|MAKIMA_(RUN_ID|TASK_ID|TOKEN|URL|LEDGER|SCRIPT))$/;
    expect(loot.environment.filter((name) => !allowed.test(name))).toEqual([]);
    const careless = await linesOf(await taskNamed(job, 'careless'));
    const echoed = careless.filter((line) => line.includes('token='));
    expect(echoed.length).toBeGreaterThan(0);
    expect(echoed.filter((line) => line.includes('mkrun_'))).toEqual([]);
  });

  it('has changed nothing: the guard stands until a person passes it', async () => {
    const { client } = house;
    const contract = await client.call('getContract', { params: { id: job.id } });
    expect(contract).toMatchObject({ phase: 'plan', status: 'waiting_for_input' });
    const question = await client.call('getQuestion', { params: { id: questionId } });
    expect(question).toMatchObject({ status: 'open', response: null });
    const victims = await client.call('listContractTasks', { params: { id: victim.id } });
    expect(victims.items.map(({ status }) => status)).toEqual(['running']);
    const keys = await client.call('listKeys');
    expect(keys.items.filter(({ name }) => name === 'mine')).toEqual([]);
    await client.call('answerQuestion', {
      params: { id: questionId },
      body: { response: 'Approve' },
    });
    expect(await job.story.end()).toBe('completed');
  });

  it('leaves no key behind in any table, in Redis or in a log', async () => {
    const { client } = house;
    const { key } = await client.call('createKey', { body: { name: 'told once' } });
    const { token } = await client.call('createEnrolment', { body: {} });
    await client.call('changeStatus', {
      params: { id: victim.id },
      body: { targetStatus: 'failed', reason: 'cancelled' },
    });
    expect(await victim.story.end()).toBe('failed');
    const daemonKey = readFileSync(join(house.stack.options.home.secrets, 'daemon.token'), 'utf8');
    const secrets = [key, token, house.ownerKey, daemonKey.trim(), canary];
    expect(await placesOf(house, secrets)).toEqual([]);
    victim.story.close();
    job.story.close();
    await expectInvariants(house);
  });
});
