// A fleet: two machines, two copies of every service, and a machine that is sent away.
// Why: makima scales by more of the same; more of the same must neither double nor lose anything.
// Law: the second machine joins as people join theirs, by the command line with a home of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliStage, type Running } from '@makima/cli/testing/cli';
import { createClient, type Client } from '@makima/client/client';
import type { Daemon } from '@makima/contracts/entity/daemon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAttempts, isAlive, pidOf } from './agents.ts';
import {
  answer,
  document,
  hold,
  spawn,
  startContract,
  taskNamed,
  tell,
  type Started,
  type Step,
} from './contract.ts';
import { forgeHost, makeForge } from '@makima/test-chaos/forge';
import { kill } from './deaths.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';
import { filesOn, makeRepository } from './repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'makima-fleet-'));
const forge = makeForge(scratch);
const person = new CliStage();
/** What both machines are told. Beats are quick, so that leases can be short. */
const machine = {
  PATH: `${forge.bin}:${process.env.PATH ?? ''}`,
  MAKIMA_ALLOW_HOSTS: forgeHost,
  MAKIMA_MAX_TASKS: '2',
  MAKIMA_TIMINGS: JSON.stringify({ heartbeatMs: 500, leaseTickMs: 100 }),
};

let house: House;
/** Talks to the second API. */
let other: Client;
let second: Running;
/** Of the second machine. */
let env: Record<string, string>;
beforeAll(async () => {
  house = await openHouse({
    replicas: { api: 2, scheduler: 2, restorer: 2, 'daemon-gateway': 2 },
    env: { ...machine, MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0', MAKIMA_LEASE_SECONDS: '4' },
  });
  const port = house.stack.process('api-2').spec.port;
  other = createClient({ baseUrl: `http://127.0.0.1:${port}`, key: house.ownerKey });
  person.url = house.url;
  person.key = house.ownerKey;
});
afterAll(async () => {
  second?.child.kill('SIGTERM');
  await second?.end;
  person.remove();
  await house.close();
  rmSync(scratch, { recursive: true, force: true });
});

const daemons = async (): Promise<Daemon[]> => (await house.client.call('listDaemons')).items;
const connected = async (count: number): Promise<Daemon[]> =>
  eventually(
    daemons,
    (all) => all.filter(({ status }) => status === 'connected').length === count,
    { what: `${count} machines` },
  );

/** A contract whose code lives at the forge, with a task for each name. */
function atForge(name: string, tasks: Readonly<Record<string, Step[]>>): Promise<Started> {
  const names = Object.keys(tasks);
  const repo = makeRepository(join(scratch, name));
  return startContract(
    house,
    [
      ...names.map((task) => spawn(task, tasks[task] ?? [])),
      { wait: names.map((task) => `\${${task}}`) },
      ...names.map((task): Step => ({ merge: `\${${task}}` })),
      ...finish,
    ],
    { name, repositories: [{ repositoryUrl: forge.urlOf(repo) }] },
  );
}

const finish: Step[] = [
  ...document('plan-document', 'PLAN.md'),
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
];

describe('a fleet', () => {
  inOrder(() => house);

  it('grows by a machine that joins with a token, at the other gateway', async () => {
    const { token } = await house.client.call('createEnrolment', { body: { name: 'second' } });
    const gateway = house.stack.process('daemon-gateway-2').spec.port;
    env = {
      ...machine,
      // It may not reach the forge at first.
      MAKIMA_ALLOW_HOSTS: '',
      MAKIMA_DAEMON_HOME: join(scratch, 'second'),
      MAKIMA_API_URL: other.baseUrl,
      MAKIMA_GATEWAY_URL: `ws://127.0.0.1:${gateway}/daemon`,
      MAKIMA_LEDGER: house.ledger,
    };
    const join1 = ['daemon', 'join', '--token-stdin', '--name', 'second'];
    expect(await person.run(join1, { env, stdin: token })).toMatchObject({ code: 0 });
    const again = await person.run(join1, { env, stdin: token });
    expect(again.code).not.toBe(0);
    second = person.start(['daemon', 'start'], { env });
    const all = await connected(2);
    expect(all.map(({ maxConcurrentTasks }) => maxConcurrentTasks)).toEqual([2, 2]);
    expect(all.map(({ name }) => name)).toContain('second');
    const listed = await person.run(['daemon', 'list']);
    expect(listed.stdout).toContain('second');
  });

  it('runs a contract over two copies of every service, one of which dies each', async () => {
    const job = await startContract(
      house,
      [
        { ask: 'Over which door?' },
        spawn('piece', [
          hold('go'),
          { write: { file: 'out/piece.txt', content: 'x\n' } },
          { commit: 'Piece' },
          { done: 'made' },
        ]),
        { wait: ['${piece}'] },
        { merge: '${piece}' },
        ...finish,
      ],
      { name: 'twofold' },
    );
    // Asked through one API, answered through the other.
    await job.story.until('question.asked');
    await answer(other, job, 'Over which door?', 'the other');
    const piece = await taskNamed(job, 'piece');
    await job.story.until('task.started', ({ taskId }) => taskId === piece);
    const deaths = ['api-2', 'scheduler', 'restorer', 'daemon-gateway'].map((name) =>
      kill(house, name),
    );
    await tell(house.client, piece, 'go');
    expect(await job.story.end()).toBe('completed');
    expect(filesOn(job.repo, job.branch, 'out/')).toEqual(['out/piece.txt']);
    await Promise.all(deaths.map(({ back }) => back));
    for (const id of [job.supervisorId, piece]) expectAttempts(house, id, 1);
    job.story.close();
    await connected(2);
    await expectInvariants(house);
  });

  it('asks a machine that could not start a task no more, and goes on when it can', async () => {
    const { client } = house;
    const job = await atForge('excluded', {
      stays: [hold('go'), { done: 'stays' }],
      moves: [{ done: 'moves' }],
    });
    const moves = await taskNamed(job, 'moves');
    const lost = await job.story.until('attempt.lost', ({ taskId }) => taskId === moves);
    expect(lost.data['detail']).toMatch(/private network/);
    const why = await eventually(
      () => client.call('whyTask', { params: { id: moves } }),
      ({ blockers }) => blockers[0]?.kind === 'capacity',
      { what: 'a task that only a full machine may take' },
    );
    expect(why.moving).toBe(false);
    await tell(client, await taskNamed(job, 'stays'), 'go');
    expect(await job.story.end()).toBe('completed');
    const task = await client.call('getTask', { params: { id: moves } });
    const [first, second2] = task.attempts;
    expect(task.attempts.map(({ state }) => state)).toEqual(['lost', 'done']);
    expect(first?.daemonId).not.toBe(second2?.daemonId);
    job.story.close();
    // The machine is mended: started again, it is the same one.
    second.child.kill('SIGTERM');
    await second.end;
    await connected(1);
    env = { ...env, ...machine };
    second = person.start(['daemon', 'start'], { env });
    await connected(2);
    await expectInvariants(house);
  });

  it('merges what another machine made, and shows both sides where it cannot', async () => {
    const { client } = house;
    const names = ['one', 'two', 'three'];
    const piece = (name: string): Step[] => [
      { write: { file: `out/${name}.txt`, content: `${name}\n` } },
      { write: { file: 'shared.txt', content: 'the same\n' } },
      { commit: `Make ${name}` },
      hold('go'),
      { done: `${name} is made` },
    ];
    const clash: Step[] = [
      { write: { file: 'shared.txt', content: 'another\n' } },
      { commit: 'Clash' },
      hold('go'),
      { done: 'made' },
    ];
    const tasks = { ...Object.fromEntries(names.map((name) => [name, piece(name)])), clash };
    const repo = makeRepository(join(scratch, 'across'));
    const job = await startContract(
      house,
      [
        ...Object.entries(tasks).map(([name, steps]) => spawn(name, steps)),
        { wait: Object.keys(tasks).map((name) => `\${${name}}`) },
        ...names.map((name): Step => ({ merge: `\${${name}}` })),
        hold('looked'),
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute' },
        {
          deliverable: {
            id: 'implementation',
            evidence: names.map((name) => ({ file: `out/${name}.txt` })),
          },
        },
      ],
      { name: 'across', repositories: [{ repositoryUrl: forge.urlOf(repo) }] },
    );
    const all = await Promise.all(Object.keys(tasks).map((name) => taskNamed(job, name)));
    // One slot is left beside the supervisor, two are on the other machine, one task waits.
    await job.story.untilMany('task.started', 4);
    for (const id of all) await tell(client, id, 'go');
    await job.story.untilMany('task.merged', 3);
    const shown = await Promise.all(all.map((id) => client.call('getTask', { params: { id } })));
    const supervisor = await client.call('getTask', { params: { id: job.supervisorId } });
    const away = shown.filter(({ daemonId }) => daemonId !== supervisor.daemonId);
    expect(away.length).toBeGreaterThanOrEqual(2);
    expect(shown.map(({ status }) => status)).toEqual(['merged', 'merged', 'merged', 'done']);
    const refused = await client.call('mergeTask', { params: { id: all[3] ?? '' }, body: {} });
    expect(refused).toMatchObject({
      success: false,
      conflicts: [{ path: 'shared.txt', ours: 'the same', theirs: 'another' }],
    });
    await tell(client, job.supervisorId, 'looked');
    expect(await job.story.end()).toBe('completed');
    job.story.close();
    await expectInvariants(house);
  });

  it('goes on from what was merged when the supervisor is taken to the other machine', async () => {
    const { client } = house;
    const piece = (name: string): Step[] => [
      { write: { file: `out/${name}.txt`, content: `${name}\n` } },
      { commit: `Make ${name}` },
      { done: `${name} is made` },
    ];
    const repo = makeRepository(join(scratch, 'taken'));
    const job = await startContract(
      house,
      [
        spawn('one', piece('one')),
        { wait: ['${one}'] },
        { merge: '${one}' },
        ...document('plan-document', 'PLAN.md'),
        hold('go'),
        // It begins where the first one's work is.
        spawn('two', [{ run: ['test', '-f', 'out/one.txt'] }, ...piece('two')]),
        { wait: ['${two}'] },
        { merge: '${two}' },
        { advance: 'execute' },
        {
          deliverable: {
            id: 'implementation',
            evidence: [{ file: 'out/one.txt' }, { file: 'out/two.txt' }],
          },
        },
      ],
      { name: 'taken', repositories: [{ repositoryUrl: forge.urlOf(repo) }] },
    );
    await job.story.until('deliverable.completed');
    const { daemonId: from } = await client.call('getTask', { params: { id: job.supervisorId } });
    const to = (await connected(2)).find(({ id }) => id !== from)?.id ?? '';
    const params = { id: job.id };
    await client.call('changeStatus', { params, body: { targetStatus: 'paused' } });
    await client.call('resumeSupervisor', {
      params,
      body: { resumeMode: 'continue', targetDaemonId: to },
    });
    await job.story.until('task.started', ({ data }) => data['attempt'] === 2);
    await tell(client, job.supervisorId, 'go');
    expect(await job.story.end()).toBe('completed');
    const { daemonId } = await client.call('getTask', { params: { id: job.supervisorId } });
    expect(daemonId).toBe(to);
    // Nothing that was merged after it touched what shows the plan.
    const { deliverables } = await client.call('getContract', { params });
    expect(deliverables.map(({ stale }) => stale)).toEqual([false, false]);
    job.story.close();
    await expectInvariants(house);
  });

  it('respects capacity, and moves the work of a machine that is revoked', async () => {
    const { client } = house;
    const names = ['one', 'two', 'three', 'four'];
    const steps = (name: string): Step[] => [
      { say: `${name} begins` },
      { write: { file: `out/${name}.txt`, content: 'half\n' } },
      { checkpoint: 'Half of it' },
      { say: `${name} is half done` },
      hold('go'),
      { run: ['test', '-f', `out/${name}.txt`] },
      { append: { file: `out/${name}.txt`, content: 'whole\n' } },
      { commit: `Make ${name}` },
      { done: `${name} is made` },
    ];
    const job = await atForge(
      'moving',
      Object.fromEntries(names.map((name) => [name, steps(name)])),
    );
    const ids = await Promise.all(names.map((name) => taskNamed(job, name)));
    await job.story.untilMany('task.started', 4);
    const full = await daemons();
    expect(full.map(({ currentTaskCount }) => currentTaskCount)).toEqual([2, 2]);
    const tasks = (await client.call('listContractTasks', { params: { id: job.id } })).items;
    const [waiting, ...more] = tasks.filter(({ status }) => status === 'pending');
    expect(more).toEqual([]);
    const why = await client.call('whyTask', { params: { id: waiting?.id ?? '' } });
    expect(why).toMatchObject({ moving: false, blockers: [{ kind: 'capacity' }] });
    const home = tasks.find(({ isSupervisor }) => isSupervisor)?.daemonId;
    const away = full.find(({ id }) => id !== home)?.id ?? '';
    const theirs = tasks.filter(({ daemonId }) => daemonId === away).map(({ id }) => id);
    expect(theirs).toHaveLength(2);
    for (const id of theirs)
      await job.story.until('checkpoint.created', ({ taskId }) => taskId === id);
    const pids = await Promise.all(theirs.map((id) => pidOf(house, id, 1)));
    await client.call('revokeDaemon', { params: { id: away } });
    await job.story.untilMany('attempt.lost', 2, ({ taskId }) => theirs.includes(taskId ?? ''));
    await eventually(
      () => pids.filter(isAlive),
      (left) => left.length === 0,
      { what: 'their end' },
    );
    for (const id of ids) await tell(client, id, 'go');
    expect(await job.story.end()).toBe('completed');
    for (const id of ids) {
      const task = await client.call('getTask', { params: { id } });
      expect(task).toMatchObject({ status: 'merged', daemonId: home });
      expectAttempts(house, id, theirs.includes(id) ? 2 : 1);
    }
    const all = await daemons();
    expect(all.find(({ id }) => id === away)).toMatchObject({ status: 'revoked' });
    job.story.close();
    await expectInvariants(house);
  });
});
