/**
 * The producer's side of the queues: one connection per process, one BullMQ queue per job of the catalog.
 *
 * Law: every ticket carries its own id, so adding it twice adds it once; a Redis that is away answers
 * within seconds with an outcome per ticket, never with a hang. Postgres keeps what could not be added.
 */
import { Queue } from 'bullmq';
import { jobNames, jobs, type JobName, type JobPayload } from '@makima/contracts/jobs';
import { withDeadline } from '@makima/runtime/deadline';
import type { Log } from '@makima/runtime/log';
import type { Metrics } from '@makima/runtime/metrics';
import { openRedis, redisTimings, type Redis, type RedisTimings } from './redis.ts';

export interface BusOptions {
  /** `redis://` or `rediss://`, with password. */
  readonly url: string;
  /** First part of every key and queue name. Default `mk1`; another one only in tests. */
  readonly prefix?: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Shorter times, for tests. */
  readonly timings?: Partial<RedisTimings>;
}

/** One job to add. `jobId` comes from `jobId()` of the catalog; payloads are ids and fences, at most 2 KB. */
export interface Ticket<N extends JobName = JobName> {
  readonly queue: N;
  readonly jobId: string;
  readonly payload: JobPayload<N>;
}

export interface AddOutcome {
  readonly jobId: string;
  /** Why this ticket is not in Redis; undefined when it is. */
  readonly error: Error | undefined;
}

/** Everything that this package needs to know about Redis; services hold it and hand it on. */
export interface Bus {
  readonly prefix: string;
  /** Whether commands can be sent now. */
  readonly ready: boolean;
  /**
   * Add tickets, one round trip per queue. Never rejects: each ticket has its outcome, in order. A ticket
   * whose id Redis still knows counts as added and changes nothing.
   */
  add(tickets: readonly Ticket[]): Promise<readonly AddOutcome[]>;
  /** Reject unless Redis answers; for `/readyz`. */
  ping(): Promise<void>;
  /** Call `fn` whenever the connection is (again) there. Returns how to stop that. */
  onReady(fn: () => void): () => void;
  /** Close every connection, within `deadlineMs` (2 s). Twice is fine. */
  close(deadlineMs?: number): Promise<void>;
  /** For the files of this package. */
  readonly inner: BusInner;
}

export interface BusInner {
  readonly url: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timings: RedisTimings;
  readonly redis: Redis;
  readonly queues: ReadonlyMap<JobName, Queue>;
}

/** Name of the BullMQ queue of a job: `mk1-spawn-task`. The prefix carries the major version of the wire. */
export function queueName(prefix: string, job: JobName): string {
  return `${prefix}-${job}`;
}

/** How long finished jobs stay to be looked at; their ids block the same id for that long. */
export const keep = {
  removeOnComplete: { age: 600, count: 1_000 },
  removeOnFail: { age: 86_400, count: 5_000 },
} as const;

/** Open the bus of this process. Returns at once; Redis may come later. */
export function openBus(options: BusOptions): Bus {
  const prefix = options.prefix ?? 'mk1';
  const timings = { ...redisTimings, ...options.timings };
  const target = { url: options.url, log: options.log, timings };
  const redis = openRedis(target, 'producer');
  const queues = new Map(jobNames.map((name) => [name, openQueue(redis, prefix, name)]));
  const added = options.metrics.counter({
    name: 'makima_jobs_added_total',
    help: 'Tickets handed to Redis by queue and outcome.',
    labels: ['queue', 'outcome'],
  });
  let closing: Promise<void> | undefined;

  return {
    prefix,
    get ready() {
      return redis.status === 'ready';
    },
    async add(tickets) {
      const outcomes = new Map<Ticket, Error | undefined>();
      const groups = Map.groupBy(tickets, (ticket) => ticket.queue);
      await Promise.all(
        [...groups].map(async ([name, group]) => {
          const queue = queues.get(name);
          for (const [ticket, error] of await addGroup(queue, group, timings)) {
            outcomes.set(ticket, error);
            const known = queue === undefined ? 'unknown' : name;
            added.inc({ queue: known, outcome: error ? 'error' : 'ok' });
          }
        }),
      );
      return tickets.map((ticket) => ({ jobId: ticket.jobId, error: outcomes.get(ticket) }));
    },
    async ping() {
      await redis.ping();
    },
    onReady(fn) {
      redis.on('ready', fn);
      return () => void redis.off('ready', fn);
    },
    close(deadlineMs = 2_000) {
      closing ??= closeProducer(redis, queues, deadlineMs);
      return closing;
    },
    inner: { ...target, metrics: options.metrics, redis, queues },
  };
}

function openQueue(redis: Redis, prefix: string, name: JobName): Queue {
  const queue = new Queue(queueName(prefix, name), {
    prefix,
    connection: redis,
    // Both together let a queue be built while Redis is away; else its first add would wait for ever.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    defaultJobOptions: {
      attempts: jobs[name].attempts,
      backoff: { type: 'exponential', delay: jobs[name].backoffMs, jitter: 0.5 },
      sizeLimit: 2_048,
      stackTraceLimit: 3,
      ...keep,
    },
  });
  queue.on('error', () => undefined); // the connection itself logs
  return queue;
}

type Outcomes = ReadonlyMap<Ticket, Error | undefined>;

async function addGroup(
  queue: Queue | undefined,
  tickets: readonly Ticket[],
  timings: RedisTimings,
): Promise<Outcomes> {
  if (queue === undefined) {
    const error = new Error(`no such queue: ${tickets[0]?.queue}`);
    return new Map(tickets.map((ticket) => [ticket, error]));
  }
  const limitMs = timings.commandMs + 1_000;
  try {
    await withDeadline(limitMs, () => queue.addBulk(tickets.map(bullJob)), 'adding jobs');
    return new Map(tickets.map((ticket) => [ticket, undefined]));
  } catch (error) {
    const reason = asError(error);
    if (tickets.length === 1 || isConnectionTrouble(reason)) {
      return new Map(tickets.map((ticket) => [ticket, reason]));
    }
  }
  // One bad ticket spoils its pipeline: each alone, so that only it fails. Those that went in are known by id.
  const each = await Promise.all(tickets.map((ticket) => addGroup(queue, [ticket], timings)));
  return new Map(each.flatMap((outcome) => [...outcome]));
}

function bullJob(ticket: Ticket) {
  return { name: ticket.queue, data: ticket.payload, opts: { jobId: ticket.jobId } };
}

function isConnectionTrouble(error: Error): boolean {
  const named = ['DeadlineError', 'MaxRetriesPerRequestError', 'AbortError'].includes(error.name);
  return (
    named ||
    /Connection is closed|writeable|timed out|ECONN|EPIPE|LOADING|MISCONF|OOM/.test(error.message)
  );
}

async function closeProducer(
  redis: Redis,
  queues: ReadonlyMap<JobName, Queue>,
  deadlineMs: number,
): Promise<void> {
  try {
    await withDeadline(deadlineMs, async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      if (redis.status === 'ready') await redis.quit();
    });
  } catch {
    // A Redis that does not answer gets no goodbye.
  } finally {
    redis.disconnect();
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
