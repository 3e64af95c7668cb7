/**
 * Alive and ready, for this process. Postgres is what it cannot be without; Redis is not: a request that
 * writes needs none, so an API without Redis stays ready and says that it is degraded.
 *
 * Law: a check has a second; the answer names checks and kinds of failure, no host and no secret.
 */
import type { Bus } from '@makima/bus/queues';
import type { Engine } from '@makima/engine/context';
import { createHealth, type HealthReport } from '@makima/runtime/health';

export interface ReadyReport extends HealthReport {
  /** What is missing although we serve: hints come late, queues stand still. */
  readonly degraded: readonly string[];
}

export interface ApiHealth {
  start(): void;
  stop(): void;
  livez(): HealthReport;
  readyz(): Promise<ReadyReport>;
  drain(): void;
}

export function createApiHealth(options: {
  readonly database: Engine['database'];
  readonly bus: Bus;
  /** Whether the first start is done. */
  readonly isPrepared: () => boolean;
}): ApiHealth {
  const needed = createHealth({
    checks: [
      { name: 'postgres', check: () => options.database.ping(1_000) },
      { name: 'owner', check: () => prepared(options.isPrepared()) },
    ],
  });
  const wanted = createHealth({ checks: [{ name: 'redis', check: () => options.bus.ping() }] });
  return {
    start: () => needed.start(),
    stop: () => needed.stop(),
    livez: () => needed.livez(),
    async readyz() {
      const [must, may] = await Promise.all([needed.readyz(), wanted.readyz()]);
      const missing = Object.entries(may.checks).filter(([, result]) => !result.ok);
      return {
        ok: must.ok,
        checks: { ...must.checks, ...may.checks },
        degraded: missing.map(([name]) => name),
      };
    },
    drain: () => needed.drain(),
  };
}

function prepared(isPrepared: boolean): void {
  if (!isPrepared) throw new Error('the first start is not done');
}
