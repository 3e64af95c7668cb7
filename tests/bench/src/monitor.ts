// Monitors under load: supervisors that beat, monitors that each watch one of them, and events in between.
// Why: every event has to come once and in order at each monitor, however many signs of life pass by.
import { once } from 'node:events';
import WebSocket from 'ws';
import { createClient, type Client } from '@makima/client/client';
import type { TaskStart } from '@makima/contracts/socket/commands';
import { monitorPath } from '@makima/contracts/entity/monitor';
import { startTestStack } from '@makima/stack/test-stack';
import { joinDaemon, startedReport, type BenchDaemon } from './fleet.ts';
import { figuresOf, type Figures } from './figures.ts';

export interface MonitorFigures {
  readonly sockets: number;
  readonly seconds: number;
  /** Heartbeats sent by the daemon, and those that came to a monitor. */
  readonly beaten: number;
  readonly heartbeats: number;
  readonly perSecond: number;
  readonly events: number;
  /** Monitors at which an event was missing, came twice or out of order. */
  readonly wrong: number;
  /** From the database's word on the sign of life to the monitor; gathering takes up to 250 ms of it. */
  readonly heartbeatMs: Figures;
  readonly eventMs: Figures;
}

interface Watched {
  readonly contractId: string;
  readonly statuses: string[];
  expected: string[];
}

const slicesPerSecond = 4;

export async function benchMonitor(options: {
  readonly sockets: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}): Promise<MonitorFigures> {
  const house = await startTestStack({
    daemon: 'none',
    env: {
      LOG_LEVEL: 'warn',
      MAKIMA_LIMITS: 'requestsPerKeyPerMinuteMax=1000000,monitorSocketsPerOwnerMax=100000',
      // Each supervisor beats about once a second here.
      MAKIMA_HEARTBEAT_INTERVAL_SECONDS: '1',
    },
  });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  const daemon = await joinDaemon(client, house.gatewayUrl, 10_000);
  const sockets: WebSocket[] = [];
  try {
    const starts = await startContracts(client, daemon, options.sockets);
    options.say(`${starts.length} supervisors run`);
    const heartbeatMs: number[] = [];
    const eventMs: number[] = [];
    const watched = starts.map(({ contractId }): Watched => ({
      contractId: contractId ?? '',
      statuses: [],
      expected: [],
    }));
    const url = `${house.url.replace(/^http/, 'ws')}${monitorPath}`;
    for (let at = 0; at < watched.length; at += 50) {
      const some = watched
        .slice(at, at + 50)
        .map((one) => watch({ url, key: house.ownerKey, one, heartbeatMs, eventMs }));
      sockets.push(...(await Promise.all(some)));
    }
    options.say(`${sockets.length} monitors are live`);
    const beaten = await load(client, daemon, { ...options, starts, watched });
    await settled(watched);
    const wrong = watched.filter((one) => one.statuses.join() !== one.expected.join()).length;
    return {
      sockets: sockets.length,
      seconds: options.seconds,
      beaten,
      heartbeats: heartbeatMs.length,
      perSecond: Math.round(heartbeatMs.length / options.seconds),
      events: eventMs.length,
      wrong,
      heartbeatMs: figuresOf(heartbeatMs),
      eventMs: figuresOf(eventMs),
    };
  } finally {
    for (const socket of sockets) socket.terminate();
    await daemon.close();
    await house.stop();
  }
}

async function startContracts(
  client: Client,
  daemon: BenchDaemon,
  count: number,
): Promise<TaskStart[]> {
  const starts: TaskStart[] = [];
  const all = Promise.withResolvers<void>();
  daemon.onCommand = (command) => {
    if (command.kind !== 'task.start') return;
    daemon.report([startedReport(command)]);
    starts.push(command);
    if (starts.length === count) all.resolve();
  };
  let next = 0;
  const maker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++)
      await client.call('createContract', {
        body: {
          name: `monitor ${n}`,
          description: 'bench',
          contractType: 'simple',
          repositories: [{ localPath: '/bench' }],
          agent: 'scripted',
        },
      });
  };
  await Promise.all(Array.from({ length: 8 }, maker));
  await all.promise;
  return starts;
}

interface Watching {
  readonly url: string;
  readonly key: string;
  readonly one: Watched;
  readonly heartbeatMs: number[];
  readonly eventMs: number[];
}

/** Live when it resolves. */
async function watch({ url, key, one, heartbeatMs, eventMs }: Watching): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${key}` },
    perMessageDeflate: false,
  });
  const ready = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const told = JSON.parse(data.toString('utf8')) as Record<string, string>;
    const tookMs = Date.now() - Date.parse(told['time'] ?? '');
    if (told['type'] === 'ready') ready.resolve();
    if (told['type'] === 'heartbeat') heartbeatMs.push(tookMs);
    if (told['type'] !== 'status_changed' || told['contract_id'] !== one.contractId) return;
    eventMs.push(tookMs);
    one.statuses.push(told['new_status'] ?? '');
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ contract_ids: [one.contractId], include_heartbeats: true }));
  await ready.promise;
  return socket;
}

interface Load {
  readonly starts: readonly TaskStart[];
  readonly watched: readonly Watched[];
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** Signs of life in slices, and changes of status one after the other. Answers how many beats were sent. */
async function load(client: Client, daemon: BenchDaemon, l: Load): Promise<number> {
  let beaten = 0;
  const perSlice = Math.max(1, Math.round(l.ratePerSecond / slicesPerSecond));
  const beats = setInterval(() => {
    const running = Array.from({ length: Math.min(perSlice, l.starts.length) }, (_, k) => {
      const start = l.starts[(beaten + k) % l.starts.length] as TaskStart;
      return { taskId: start.taskId, attempt: start.attempt };
    });
    beaten += running.length;
    daemon.beat(running);
  }, 1_000 / slicesPerSecond);
  const endMs = performance.now() + l.seconds * 1_000;
  for (let n = 0; performance.now() < endMs; n++) {
    const one = l.watched[n % l.watched.length] as Watched;
    const targetStatus = one.expected.at(-1) === 'blocked' ? 'active' : 'blocked';
    await client.call('changeStatus', {
      params: { id: one.contractId },
      body: { targetStatus, reason: 'bench', blocker: 'bench' },
    });
    one.expected.push(targetStatus);
  }
  clearInterval(beats);
  return beaten;
}

/** What is under way arrives; an event that does not come in 10 s is missing. */
async function settled(watched: readonly Watched[]): Promise<void> {
  const endMs = performance.now() + 10_000;
  const isWhole = (one: Watched): boolean => one.statuses.length >= one.expected.length;
  while (performance.now() < endMs && !watched.every(isWhole))
    await new Promise((resolve) => setTimeout(resolve, 50));
}
