/**
 * Metrics of the installation, read from the store at scrape time: those of seed 004 by its names, and the
 * health of outbox and leases.
 *
 * Law: in one service only, else every service reports the same. Labels are closed words: phases of people's
 * own contract types are counted as `other`.
 */
import { builtinTypes } from '@makima/domain/contract-type';
import type { Metrics } from '@makima/runtime/metrics';

/** As the store tells it. */
export interface Figures {
  readonly contracts: Readonly<Record<string, number>>;
  readonly stale: number;
  readonly phaseChanges: readonly {
    readonly from: string;
    readonly to: string;
    readonly n: number;
  }[];
  readonly completions: number;
  readonly restorations: number;
  readonly outboxWaiting: number;
  readonly outboxOldestSeconds: number;
  readonly leases: number;
  readonly leasesExpired: number;
  readonly daemonsConnected: number;
}

const knownPhases: ReadonlySet<string> = new Set(
  Object.values(builtinTypes).flatMap((type) => type.phases.map((phase) => phase.name)),
);
const phaseLabel = (phase: string): string => (knownPhases.has(phase) ? phase : 'other');

/** How long one reading serves the metrics of one scrape. */
const freshMs = 1_000;

export function registerStoreMetrics(metrics: Metrics, readFigures: () => Promise<Figures>): void {
  const read = once(readFigures);
  metrics.gauge({
    name: 'contracts_by_status',
    help: 'Contracts by status.',
    labels: ['status'],
    collect: async (gauge) => {
      for (const [status, n] of Object.entries((await read()).contracts)) gauge.set({ status }, n);
    },
  });
  metrics.gauge({
    name: 'contracts_stale_count',
    help: 'Active contracts in which nothing moves.',
    untyped: true,
    collect: async (gauge) => gauge.set((await read()).stale),
  });
  metrics.counter({
    name: 'phase_transitions_total',
    help: 'Phase changes by the phase that was left and the one that was entered.',
    labels: ['from', 'to'],
    collect: async (counter) => {
      const { phaseChanges } = await read();
      counter.reset();
      for (const { from, to, n } of phaseChanges)
        counter.inc({ from: phaseLabel(from), to: phaseLabel(to) }, n);
    },
  });
  const count = (name: string, help: string, of: (figures: Figures) => number): void => {
    metrics.counter({
      name,
      help,
      collect: async (counter) => {
        const n = of(await read());
        counter.reset();
        counter.inc(n);
      },
    });
  };
  count('completion_detections_total', 'Contracts that were found complete.', (f) => f.completions);
  count('supervisor_restarts_total', 'Restorations of supervisors.', (f) => f.restorations);
  const level = (name: string, help: string, of: (figures: Figures) => number): void => {
    metrics.gauge({ name, help, collect: async (gauge) => gauge.set(of(await read())) });
  };
  level(
    'makima_outbox_oldest_seconds',
    'Age of the oldest outbox row that should have left, 0 when none waits.',
    (f) => f.outboxOldestSeconds,
  );
  level('makima_outbox_waiting', 'Outbox rows that should have left.', (f) => f.outboxWaiting);
  level('makima_leases', 'Attempts that hold a lease.', (f) => f.leases);
  level(
    'makima_leases_expired',
    'Leases that are over and not yet taken back.',
    (f) => f.leasesExpired,
  );
  level('makima_daemons_connected', 'Machines that are connected.', (f) => f.daemonsConnected);
}

/** One reading for all metrics of a scrape. */
function once(readFigures: () => Promise<Figures>): () => Promise<Figures> {
  let last: Promise<Figures> | undefined;
  let atMs = 0;
  return () => {
    if (last === undefined || performance.now() - atMs > freshMs) {
      atMs = performance.now();
      last = readFigures();
      last.catch(() => (last = undefined));
    }
    return last;
  };
}
