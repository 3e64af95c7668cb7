// Monitors under load: supervisors that beat, monitors that each watch one of them, and events in between.
// Why: every event has to come once and in order at each monitor, however many signs of life pass by. Of these
// each that was kept is told, or told as one with a later one; what was not kept gave way by design: to a newer
// heartbeat of its daemon, or to whoever held its supervisor's row just then.
import { once } from 'node:events';
import WebSocket from 'ws';
import { createClient, type Client } from '@makima/client/client';
import { monitorPath } from '@makima/contracts/entity/monitor';
import { startTestStack } from '@makima/stack/test-stack';
import { joinDaemon, startedReport, type BenchDaemon } from './fleet.ts';
import { figuresOf, type Figures } from './figures.ts';

export interface MonitorFigures {
  readonly sockets: number;
  readonly seconds: number;
  /** Signs of life that the daemons sent: `kept` + `superseded` + `held`. */
  readonly beaten: number;
  /** By the gateway's own count. */
  readonly kept: number;
  /** In a heartbeat that gave way to a newer one of its daemon unread. */
  readonly superseded: number;
  /** Of a supervisor whose row somebody held: a beat waits for nobody. */
  readonly held: number;
  /** Came to a monitor, and were told as one with a later one: together all that were kept. */
  readonly heartbeats: number;
  readonly gathered: number;
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

/** Each beats for all that it runs, as a daemon does; they take turns. */
const daemonCount = 4;

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
      // Each beat of a daemon is kept.
      MAKIMA_HEARTBEAT_INTERVAL_SECONDS: '0',
    },
  });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  // Room to spare: what is placed is not the matter here.
  const daemons = await Promise.all(
    Array.from({ length: daemonCount }, () =>
      joinDaemon(client, house.gatewayUrl, options.sockets),
    ),
  );
  const sockets: WebSocket[] = [];
  try {
    const contractIds = await startContracts(client, daemons, options.sockets);
    options.say(`${contractIds.length} supervisors run`);
    const heartbeatMs: number[] = [];
    const eventMs: number[] = [];
    const watched = contractIds.map((contractId): Watched => ({
      contractId,
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
    for (const daemon of daemons) daemon.quiet();
    const before = await countsOf(house);
    heartbeatMs.length = 0;
    const beaten = await load(client, { ...options, daemons, watched });
    await settled(watched);
    const after = await countsOf(house);
    const counts = {
      kept: after.kept - before.kept,
      superseded: after.superseded - before.superseded,
      gathered: after.gathered - before.gathered,
    };
    const wrong = watched.filter((one) => one.statuses.join() !== one.expected.join()).length;
    return {
      sockets: sockets.length,
      seconds: options.seconds,
      beaten,
      ...counts,
      held: beaten - counts.kept - counts.superseded,
      heartbeats: heartbeatMs.length,
      perSecond: Math.round(heartbeatMs.length / options.seconds),
      events: eventMs.length,
      wrong,
      heartbeatMs: figuresOf(heartbeatMs),
      eventMs: figuresOf(eventMs),
    };
  } finally {
    for (const socket of sockets) socket.terminate();
    for (const daemon of daemons) await daemon.close();
    await house.stop();
  }
}

/** Contracts whose supervisors run on the daemons; the ids. */
async function startContracts(
  client: Client,
  daemons: readonly BenchDaemon[],
  count: number,
): Promise<string[]> {
  const contractIds = new Set<string>();
  const all = Promise.withResolvers<void>();
  for (const daemon of daemons)
    daemon.onCommand = (command) => {
      if (command.kind !== 'task.start') return;
      const { taskId, attempt, contractId } = command;
      daemon.report([startedReport(command)]);
      daemon.running = [...daemon.running, { taskId, attempt }];
      if (attempt > 1) all.reject(new Error('a supervisor lost its lease before it was watched'));
      contractIds.add(contractId ?? '');
      if (contractIds.size === count) all.resolve();
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
  await Promise.all([all.promise, ...Array.from({ length: 8 }, maker)]);
  return [...contractIds];
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
  readonly daemons: readonly BenchDaemon[];
  readonly watched: readonly Watched[];
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** Signs of life by a clock, and changes of status one after the other. Answers how many beats were sent. */
async function load(client: Client, l: Load): Promise<number> {
  let beaten = 0;
  let turn = 0;
  const turnMs = (1_000 * l.watched.length) / l.ratePerSecond / daemonCount;
  const beginMs = performance.now();
  // A timer is late by what else runs; what is due by the clock is made up for, so that the rate is kept.
  const beat = (): void => {
    for (; performance.now() - beginMs >= turn * turnMs; turn += 1) {
      const daemon = l.daemons[turn % daemonCount] as BenchDaemon;
      beaten += daemon.running.length;
      daemon.beat();
    }
  };
  const beats = setInterval(beat, Math.min(20, turnMs));
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

interface Counts {
  readonly kept: number;
  readonly superseded: number;
  readonly gathered: number;
}

/** What the services count themselves, when they count no more: everything under way has been gathered and told. */
async function countsOf(house: {
  readonly url: string;
  readonly gatewayUrl: string;
}): Promise<Counts> {
  const gateway = house.gatewayUrl.replace(/^ws/, 'http').replace(/\/daemon$/, '');
  let before = '';
  for (;;) {
    const [ofGateway, ofApi] = await Promise.all([metricsOf(gateway), metricsOf(house.url)]);
    const counts = {
      kept: count(ofGateway, 'supervisor_heartbeats_total'),
      superseded: count(ofGateway, 'makima_gateway_beats_superseded_total'),
      gathered: count(ofApi, 'makima_monitor_heartbeats_gathered_total'),
    };
    const told = count(ofApi, 'makima_monitor_events_total');
    const now = JSON.stringify([counts, told]);
    if (now === before) return counts;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function metricsOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  if (!answer.ok) throw new Error(`${url}/metrics: ${answer.status}`);
  return answer.text();
}

function count(text: string, name: string): number {
  const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm').exec(text);
  return Number(line?.[1] ?? 0);
}
