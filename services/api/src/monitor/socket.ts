/**
 * The socket of monitors: the filter comes first, then what was missed, then what happens.
 *
 * Law: the next batch is fetched only when the last has left for the network. A reader that takes nothing
 * for 15 s is told to go on after its last cursor, and cut; a key that opens nothing any more closes the
 * socket within 5 s.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import {
  monitorCloseCodes as codes,
  zMonitorFilter,
  type MonitorFilter,
  type MonitorNotice,
} from '@makima/contracts/entity/monitor';
import { isMakimaError } from '@makima/domain/error';
import type { Session } from '../request.ts';
import type { MonitorHub, MonitorReader } from './hub.ts';
import type { Batch } from './subscription.ts';

export interface MonitorTimes {
  /** How long the first filter may take. */
  readonly filterMs: number;
  /** How long a reader may take nothing. */
  readonly stuckMs: number;
  /** How often the key is looked at again, and a silent reader is told where it stands. */
  readonly idleMs: number;
  /** How often the other end must show that it is there. */
  readonly pingMs: number;
}

export const monitorTimes: MonitorTimes = {
  filterMs: 10_000,
  stuckMs: 15_000,
  idleMs: 3_000,
  pingMs: 15_000,
};

export interface MonitorSocketOptions {
  readonly hub: MonitorHub;
  readonly session: Session;
  /** The connection below, so that a batch is one write. */
  readonly connection: Socket;
  /** Whether the key still opens this. */
  readonly isWelcome: () => Promise<boolean>;
  /** Keys were revoked, here or elsewhere. Returns how to stop listening. */
  readonly onRevoked: (listener: () => void) => () => void;
  readonly draining: AbortSignal;
  readonly times: MonitorTimes;
}

const revokedReason = 'the key is not valid any more';

/** Until it closes. */
export async function serveMonitor(
  socket: WebSocket,
  options: MonitorSocketOptions,
): Promise<void> {
  const { hub, draining, times } = options;
  const say = (notice: MonitorNotice): void => socket.send(JSON.stringify(notice));
  let reader: MonitorReader | undefined;
  let endedWith: number | undefined;
  const end = (code: number, reason: string): void => {
    endedWith ??= code;
    if (socket.readyState === socket.OPEN) socket.close(code, reason);
    // A peer that answers no close is not waited for.
    setTimeout(() => socket.terminate(), 1_000).unref();
  };
  const leave = (): void => end(codes.draining, 'the server restarts: connect again');
  const stopPings = keepAlive(socket, times.pingMs);
  const offRevoked = options.onRevoked(() => {
    options.isWelcome().then(
      (welcome) => void (welcome || end(codes.unauthenticated, revokedReason)),
      () => undefined, // looked at again by and by
    );
  });
  socket.on('error', () => socket.terminate());
  socket.once('close', (code) => {
    hub.metrics.closes.inc({ code: closeLabel(endedWith ?? code) });
    stopPings();
    offRevoked();
    draining.removeEventListener('abort', leave);
    reader?.close();
    reader?.subscription.ring();
  });
  draining.addEventListener('abort', leave);
  if (draining.aborted) leave();

  const first = await firstFilter(socket, times.filterMs);
  if (first === undefined) return end(codes.protocol, 'a filter is the first message');
  let refined: MonitorFilter | undefined;
  socket.on('message', (data: Buffer) => {
    const filter = readFilter(data);
    if (filter === undefined || filter.after !== undefined)
      return end(codes.protocol, 'not a filter, or one with a cursor that is not the first');
    refined = filter;
    reader?.subscription.refine(filter);
  });
  try {
    reader = await hub.open(options.session.principal, first);
    if (socket.readyState !== socket.OPEN) return reader.close();
    if (refined !== undefined) reader.subscription.refine(refined);
    await talk(socket, { ...options, reader, say, end });
  } catch (error) {
    endWith(error, { say, end });
  }
}

interface Talking extends MonitorSocketOptions {
  readonly reader: MonitorReader;
  readonly say: (notice: MonitorNotice) => void;
  readonly end: (code: number, reason: string) => void;
}

async function talk(socket: WebSocket, t: Talking): Promise<void> {
  let ready = false;
  let told = '';
  let lookedMs = performance.now();
  while (socket.readyState === socket.OPEN) {
    const batch = await t.reader.subscription.next(t.times.idleMs);
    if (socket.readyState !== socket.OPEN) return;
    const written = write(socket, t, batch);
    if (!ready && batch.live) t.say({ type: 'ready', cursor: batch.cursor });
    else if (batch.told.length === 0 && batch.cursor !== told)
      t.say({ type: 'position', cursor: batch.cursor });
    ready ||= batch.live;
    told = batch.cursor;
    if (!(await within(t.times.stuckMs, written))) {
      // Read last, if ever: it tells where to go on.
      t.say({ type: 'resync', cursor: batch.cursor });
      return t.end(codes.slow, 'what was sent is not read');
    }
    if (performance.now() - lookedMs < t.times.idleMs) continue;
    lookedMs = performance.now();
    if (!(await t.isWelcome())) return t.end(codes.unauthenticated, revokedReason);
  }
}

/** Resolves when the network has taken the batch. One write for all of it. */
function write(socket: WebSocket, t: Talking, batch: Batch): Promise<void> {
  if (batch.told.length === 0) return Promise.resolve();
  const written = Promise.withResolvers<void>();
  t.hub.metrics.sent.inc(batch.told.length);
  t.connection.cork();
  const last = batch.told.length - 1;
  for (const [index, { text }] of batch.told.entries())
    socket.send(text, index === last ? () => written.resolve() : undefined);
  t.connection.uncork();
  return written.promise;
}

async function within(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function firstFilter(socket: WebSocket, waitMs: number): Promise<MonitorFilter | undefined> {
  return new Promise((resolve) => {
    const done = (filter: MonitorFilter | undefined): void => {
      clearTimeout(timer);
      socket.off('message', take);
      socket.off('close', gone);
      resolve(filter);
    };
    const take = (data: Buffer): void => done(readFilter(data));
    const gone = (): void => done(undefined);
    const timer = setTimeout(() => done(undefined), waitMs);
    socket.on('message', take);
    socket.on('close', gone);
  });
}

function readFilter(data: Buffer): MonitorFilter | undefined {
  try {
    return zMonitorFilter.safeParse(JSON.parse(data.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

function endWith(error: unknown, t: Pick<Talking, 'say' | 'end'>): void {
  if (!isMakimaError(error)) throw error;
  const { code, message } = error;
  if (code === 'VALIDATION_FAILED') {
    t.say({ type: 'reload', code, message });
    return t.end(codes.reload, 'the cursor is of no use: read anew');
  }
  t.say({ type: 'error', code, message });
  if (code === 'LIMIT_EXCEEDED') return t.end(codes.limit, 'too many monitors');
  t.end(codes.draining, 'come again');
}

/** Both ends must show that they are there. */
function keepAlive(socket: WebSocket, pingMs: number): () => void {
  let answered = true;
  socket.on('pong', () => (answered = true));
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, pingMs);
  return () => clearInterval(timer);
}

const known: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1009, ...Object.values(codes)]);

/** For a metric: a peer may send any code. */
function closeLabel(code: number): string {
  return known.has(code) ? String(code) : 'other';
}
