/**
 * One delivery of one job: parse, run the handler under a time limit, and translate what it throws into
 * what BullMQ understands.
 *
 * Law: a delivery was counted before it is parsed, so a job that cannot be read ends too. What is written
 * to Redis about a failure carries no credential.
 */
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import { jobs, jobVersion, type JobName, type JobPayload } from '@makima/contracts/jobs';
import { isMakimaError } from '@makima/domain/error';
import { withDeadline } from '@makima/runtime/deadline';
import type { Log } from '@makima/runtime/log';
import { scrub } from '@makima/runtime/redact';

/** What a handler gets besides its payload. */
export interface JobContext {
  /** Aborted when the lock was lost, the time is up or the process stops: no side effect after that. */
  readonly signal: AbortSignal;
  readonly jobId: string;
  /** Which delivery this is, from 1; stalls and redeliveries count. */
  readonly attempt: number;
  /** Log with `queue` and `jobId`. */
  readonly log: Log;
}

/**
 * Handle one delivery. It may be a repetition: load, guard, one transaction. Return = done. A MakimaError
 * that is not retryable sets the job aside; anything else is tried again after a pause.
 */
export type JobHandler<N extends JobName> = (
  payload: JobPayload<N>,
  context: JobContext,
) => Promise<void>;

export type DeliveryOutcome = 'done' | 'retry' | 'set_aside' | 'redelayed';

export interface DeliveryRules {
  /** Longest run of a handler. */
  readonly handlerMs: number;
  /** Pause before a job of an unknown version is shown to (perhaps) a newer worker. */
  readonly versionDelayMs: number;
  /** Deliveries of an unknown version before it is set aside. */
  readonly versionTries: number;
}

export interface Delivery<N extends JobName> {
  readonly name: N;
  readonly job: Job;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly handler: JobHandler<N>;
  readonly rules: DeliveryRules;
  readonly log: Log;
  readonly settled: (outcome: DeliveryOutcome) => void;
}

/** Run one delivery. Throws what tells BullMQ to retry, to set aside, or that the job was moved. */
export async function deliver<N extends JobName>(delivery: Delivery<N>): Promise<void> {
  const { job, name, rules } = delivery;
  const log = delivery.log.child({ queue: name, jobId: job.id });
  if (isFromTheFuture(job.data)) return redelay(delivery, log);

  const parsed = jobs[name].payload.safeParse(job.data);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'payload').join(', ');
    log.error({ where }, 'job payload does not fit its schema');
    delivery.settled('set_aside');
    throw new UnrecoverableError(`payload does not fit: ${where}`);
  }
  try {
    await withDeadline(
      rules.handlerMs,
      (timeUp) =>
        delivery.handler(parsed.data as JobPayload<N>, {
          signal: AbortSignal.any([delivery.signal, timeUp]),
          jobId: job.id ?? '',
          attempt: job.attemptsStarted,
          log,
        }),
      `job ${name}`,
    );
    delivery.settled('done');
  } catch (error) {
    throw translate(error, delivery, log);
  }
}

/** A newer build may already have queued what this one cannot read: leave it to a newer worker. */
function isFromTheFuture(data: unknown): boolean {
  const version = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  return typeof version === 'number' && version > jobVersion;
}

async function redelay(delivery: Delivery<JobName>, log: Log): Promise<never> {
  const { job, rules } = delivery;
  if (job.attemptsStarted >= rules.versionTries) {
    log.error({ deliveries: job.attemptsStarted }, 'job of an unknown version set aside');
    delivery.settled('set_aside');
    throw new UnrecoverableError('payload of an unknown version');
  }
  log.warn('job of an unknown version, leaving it to a newer worker');
  await job.moveToDelayed(Date.now() + rules.versionDelayMs, delivery.token);
  delivery.settled('redelayed');
  throw new DelayedError();
}

function translate(error: unknown, delivery: Delivery<JobName>, log: Log): Error {
  const attempts = delivery.job.opts.attempts ?? 1;
  const final = isMakimaError(error) && !error.retryable;
  const last = final || delivery.job.attemptsMade + 1 >= attempts;
  delivery.settled(last ? 'set_aside' : 'retry');
  log[last ? 'error' : 'warn'](
    { err: error, attempts: delivery.job.attemptsMade + 1 },
    'job failed',
  );
  const text = scrub(messageOf(error));
  const told = final ? new UnrecoverableError(text) : new Error(text);
  told.stack = error instanceof Error ? scrub(error.stack ?? text) : text;
  return told;
}

function messageOf(error: unknown): string {
  if (isMakimaError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
