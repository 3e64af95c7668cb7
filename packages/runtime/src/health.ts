/**
 * Is this process alive, and is it ready? Alive: its event loop turns. Ready: what it needs answers within
 * a second. Liveness never asks a store: restarting a service does not mend its database.
 *
 * Law: every check has a time limit; the answer names each check, its time and its error, and no secret.
 */
import { withDeadline } from './deadline.ts';

const lagLimitMs = 5_000;
const lagSampleMs = 500;
const lagWindowMs = 10_000;
const checkMs = 1_000;

/** Something this process needs. Throws (or takes longer than a second) when it is not there. */
export interface HealthCheck {
  readonly name: string;
  readonly check: (signal: AbortSignal) => unknown;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly tookMs: number;
  readonly error?: string;
}

/** JSON of `/livez` and `/readyz`; status 200 when ok, else 503. */
export interface HealthReport {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

export interface Health {
  /** Begin to measure the event loop. Twice is fine. */
  start(): void;
  stop(): void;
  /** Longest stall of the event loop in the last 10 s, in milliseconds. */
  loopLagMs(): number;
  livez(): HealthReport;
  readyz(): Promise<HealthReport>;
  /** From now on not ready: load balancers look elsewhere while the process drains. */
  drain(): void;
}

export function createHealth(options: { readonly checks: readonly HealthCheck[] }): Health {
  let timer: NodeJS.Timeout | undefined;
  let expectedAt = 0;
  let samples: { readonly at: number; readonly lagMs: number }[] = [];
  let draining = false;

  const sample = (): void => {
    const now = performance.now();
    samples.push({ at: now, lagMs: Math.max(0, now - expectedAt) });
    samples = samples.filter((s) => now - s.at <= lagWindowMs);
    expectedAt = now + lagSampleMs;
  };
  const loopLagMs = (): number => {
    const overdueMs = timer === undefined ? 0 : performance.now() - expectedAt;
    return Math.max(0, overdueMs, ...samples.map((s) => s.lagMs));
  };

  return {
    start() {
      if (timer !== undefined) return;
      expectedAt = performance.now() + lagSampleMs;
      timer = setInterval(sample, lagSampleMs).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
    loopLagMs,
    livez() {
      const lagMs = Math.round(loopLagMs());
      const ok = lagMs < lagLimitMs;
      const late = { error: `the event loop stalled for ${lagMs} ms` };
      return { ok, checks: { eventLoop: { ok, tookMs: lagMs, ...(ok ? {} : late) } } };
    },
    async readyz() {
      const results = await Promise.all(
        options.checks.map(async (each) => [each.name, await runCheck(each)] as const),
      );
      const checks = Object.fromEntries(results);
      if (draining) checks['draining'] = { ok: false, tookMs: 0, error: 'the process is draining' };
      return { ok: Object.values(checks).every((result) => result.ok), checks };
    },
    drain() {
      draining = true;
    },
  };
}

async function runCheck(each: HealthCheck): Promise<CheckResult> {
  const since = performance.now();
  const tookMs = (): number => Math.round(performance.now() - since);
  try {
    await withDeadline(checkMs, (signal) => each.check(signal), each.name);
    return { ok: true, tookMs: tookMs() };
  } catch (error) {
    return { ok: false, tookMs: tookMs(), error: reason(error) };
  }
}

/** The kind of failure only: messages of drivers name hosts and users. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const { code } = error as { code?: unknown };
  if (error.name === 'DeadlineError') return 'timed out';
  return typeof code === 'string' && code ? code : error.name;
}
