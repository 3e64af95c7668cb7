/**
 * The one catalog of BullMQ jobs: queue = job = handler file. A job is a ticket to look at the truth in
 * Postgres, never a run of an agent; it may arrive twice, late or never (the sweeps do the same work).
 *
 * Law: payloads carry ids and fences only (at most 2 KB), never state, text or secrets.
 */
import { z } from 'zod';

const id = z.uuid();

/** Version of every payload below; a reader accepts this and the one before. */
export const jobVersion = 1;

interface JobKind<S extends z.ZodType> {
  /** Shape of the payload, parsed where the job is taken. */
  readonly payload: S;
  /** How many handlers one worker process runs at once. */
  readonly concurrency: number;
  /** Tries before the job is set aside as failed (the reconciler issues a new ticket if still due). */
  readonly attempts: number;
  /** First delay between tries, in milliseconds; doubles, with jitter. */
  readonly backoffMs: number;
  /** Which service consumes it. */
  readonly service: 'scheduler' | 'restorer';
}

const job = <S extends z.ZodType>(kind: JobKind<S>): JobKind<S> => kind;
const head = {
  v: z.literal(jobVersion),
  /** W3C `traceparent` of what mailed it, where somebody traces. */
  trace: z.string().max(100).optional(),
};

export const jobs = {
  /** Place pending tasks on daemons. The ids are a hint: the handler claims whatever is pending. */
  'spawn-task': job({
    payload: z.strictObject({ ...head, ownerId: id, taskId: id.nullable() }),
    concurrency: 4,
    attempts: 5,
    backoffMs: 250,
    service: 'scheduler',
  }),
  /** Look at a contract after something in it changed: readiness, auto-advance, completion. */
  'evaluate-contract': job({
    payload: z.strictObject({ ...head, ownerId: id, contractId: id }),
    concurrency: 8,
    attempts: 5,
    backoffMs: 250,
    service: 'scheduler',
  }),
  /** Decide what follows when a task's attempt ended badly: next attempt, or failure. */
  'retry-task': job({
    payload: z.strictObject({ ...head, ownerId: id, taskId: id, attempt: z.int().positive() }),
    concurrency: 8,
    attempts: 5,
    backoffMs: 250,
    service: 'scheduler',
  }),
  /** Bring a finished or failed contract's agents to an end and keep what they made. */
  'clean-contract': job({
    payload: z.strictObject({ ...head, ownerId: id, contractId: id }),
    concurrency: 4,
    attempts: 8,
    backoffMs: 500,
    service: 'scheduler',
  }),
  /** Deliver what is due to one endpoint: sign, send, write down how it went. */
  'deliver-notification': job({
    payload: z.strictObject({ ...head, ownerId: id, webhookId: id }),
    concurrency: 8,
    attempts: 5,
    backoffMs: 500,
    service: 'scheduler',
  }),
  /** Build and verify a snapshot of a supervisor: position, checksum, schema version. */
  'save-state': job({
    payload: z.strictObject({ ...head, ownerId: id, taskId: id, attempt: z.int().nonnegative() }),
    concurrency: 4,
    attempts: 5,
    backoffMs: 500,
    service: 'restorer',
  }),
  /** Bring a supervisor without a live lease back where it was, under the next epoch. */
  'restore-supervisor': job({
    payload: z.strictObject({ ...head, ownerId: id, taskId: id, attempt: z.int().nonnegative() }),
    concurrency: 4,
    attempts: 8,
    backoffMs: 250,
    service: 'restorer',
  }),
  /** Start a parked supervisor again because what it waited for has come. */
  'wake-supervisor': job({
    payload: z.strictObject({ ...head, ownerId: id, taskId: id, attempt: z.int().nonnegative() }),
    concurrency: 4,
    attempts: 8,
    backoffMs: 250,
    service: 'restorer',
  }),
} as const;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]['payload']>;
export const jobNames = Object.keys(jobs) as JobName[];

/**
 * The id of a job: `<kind>_<entity>_<attempt or epoch>[_r<n>]`. BullMQ refuses ids with `:` and ids of
 * digits only, and ignores an id that it still knows; hence the reconciler's `_r<n>`.
 */
export function jobId(name: JobName, entityId: string, fence: number | string, again = 0): string {
  return `${name}_${entityId}_${fence}${again > 0 ? `_r${again}` : ''}`;
}
