// Spawn request to command at the daemon; completion at the daemon to the waiter; spawns a second.
import { createClient, type Client } from '@makima/client/client';
import type { TaskStart } from '@makima/contracts/socket/commands';
import { startTestStack } from '@makima/stack/test-stack';
import { doneReport, joinDaemon, startedReport, type BenchDaemon } from './fleet.ts';
import { figuresOf, round, type Figures } from './figures.ts';
import { openFloor } from './floor.ts';

export interface SpawnFigures {
  readonly floorSpawnMs: Figures;
  readonly spawnMs: Figures;
  readonly spawnToFloorP50: number;
  readonly completionMs: Figures;
  readonly sustained: {
    readonly spawns: number;
    readonly seconds: number;
    readonly perSecond: number;
    readonly callers: number;
  };
}

const idleRounds = 200;
const warmUp = 20;
const perContract = 20;

/** Raises only the request rate of a key, which the load of one caller would meet. */
const raised = { MAKIMA_LIMITS: 'requestsPerKeyPerMinuteMax=1000000' };

export async function benchSpawn(options: {
  sustainedSpawns: number;
  callers: number;
  say: (line: string) => void;
}): Promise<SpawnFigures> {
  const house = await startTestStack({ daemon: 'none', env: { LOG_LEVEL: 'warn', ...raised } });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  const { databaseUrl, redisUrl } = house.stack.addresses;
  const floor = await openFloor({ databaseUrl, redisUrl });
  const daemon = await joinDaemon(client, house.gatewayUrl, 10_000);
  try {
    const floorMs: number[] = [];
    const spawnMs: number[] = [];
    const completionMs: number[] = [];
    const arrivals = arrivalsAt(daemon);
    let contractId = '';
    for (let n = 0; n < warmUp + idleRounds; n++) {
      if (n % perContract === 0) contractId = await newContract(client, `idle-${n}`);
      const bare = await floor.spawn();
      const one = await spawnOnce(client, daemon, arrivals, contractId, n);
      if (n < warmUp) continue;
      floorMs.push(bare);
      spawnMs.push(one.spawnMs);
      completionMs.push(one.completionMs);
    }
    options.say(`idle: spawn to daemon ${JSON.stringify(figuresOf(spawnMs))}`);
    const sustained = await sustain(client, daemon, options);
    return {
      floorSpawnMs: figuresOf(floorMs),
      spawnMs: figuresOf(spawnMs),
      spawnToFloorP50: round(figuresOf(spawnMs).p50 / figuresOf(floorMs).p50),
      completionMs: figuresOf(completionMs),
      sustained,
    };
  } finally {
    await daemon.close();
    await floor.close();
    await house.stop();
  }
}

interface Arrivals {
  of(taskId: string): Promise<{ start: TaskStart; atMs: number }>;
}

function arrivalsAt(daemon: BenchDaemon): Arrivals {
  const seen = new Map<string, { start: TaskStart; atMs: number }>();
  const waiting = new Map<string, (arrival: { start: TaskStart; atMs: number }) => void>();
  daemon.onCommand = (command, atMs) => {
    if (command.kind !== 'task.start') return;
    const arrival = { start: command, atMs };
    seen.set(command.taskId, arrival);
    waiting.get(command.taskId)?.(arrival);
  };
  return {
    async of(taskId) {
      const there = seen.get(taskId);
      return there ?? new Promise((resolve) => waiting.set(taskId, resolve));
    },
  };
}

async function spawnOnce(
  client: Client,
  daemon: BenchDaemon,
  arrivals: Arrivals,
  contractId: string,
  n: number,
): Promise<{ spawnMs: number; completionMs: number }> {
  const began = performance.now();
  const task = await client.call('spawnTask', {
    body: { name: `unit-${n}`, plan: 'bench', contractId, agent: 'scripted' },
  });
  const { start, atMs } = await arrivals.of(task.id);
  daemon.report([startedReport(start)]);
  const waiter = client.call('waitForTask', {
    params: { id: task.id },
    body: { timeoutSeconds: 30 },
  });
  await untilWaiting(client, task.id);
  const ended = performance.now();
  daemon.report([doneReport(start)]);
  await waiter;
  return { spawnMs: atMs - began, completionMs: performance.now() - ended };
}

/** The waiter's request is with the server once an answer to a later one is here and the task runs. */
async function untilWaiting(client: Client, taskId: string): Promise<void> {
  for (;;) {
    const { status } = await client.call('getTask', { params: { id: taskId } });
    if (status === 'running') return;
  }
}

async function sustain(
  client: Client,
  daemon: BenchDaemon,
  options: { sustainedSpawns: number; callers: number },
): Promise<SpawnFigures['sustained']> {
  const contracts: string[] = [];
  for (let n = 0; n < Math.ceil(options.sustainedSpawns / perContract); n++)
    contracts.push(await newContract(client, `load-${n}`));
  const acked = Promise.withResolvers<void>();
  let arrived = 0;
  daemon.onCommand = (command) => {
    if (command.kind === 'task.start' && ++arrived === options.sustainedSpawns) acked.resolve();
  };
  let next = 0;
  const began = performance.now();
  const caller = async (): Promise<void> => {
    for (let n = next++; n < options.sustainedSpawns; n = next++) {
      const contractId = contracts[n % contracts.length] ?? '';
      await client.call('spawnTask', {
        body: { name: `load-${n}`, plan: 'bench', contractId, agent: 'scripted' },
      });
    }
  };
  await Promise.all(Array.from({ length: options.callers }, caller));
  await acked.promise;
  const seconds = (performance.now() - began) / 1_000;
  return {
    spawns: options.sustainedSpawns,
    seconds: round(seconds),
    perSecond: round(options.sustainedSpawns / seconds),
    callers: options.callers,
  };
}

async function newContract(client: Client, name: string): Promise<string> {
  const contract = await client.call('createContract', {
    body: {
      name,
      description: 'bench',
      contractType: 'simple',
      repositories: [{ localPath: '/bench' }],
      agent: 'scripted',
      start: false,
    },
  });
  return contract.id;
}
