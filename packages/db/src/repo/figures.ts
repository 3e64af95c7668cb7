/** What the metrics of the installation say of the store, over all owners, in a few statements. */
import { contractStatuses, type ContractStatus } from '@makima/domain/contract';
import type { Queryable } from '../client.ts';
import { countOpenIncidents } from './incidents.ts';
import { allTallies } from './tallies.ts';

export interface StoreFigures {
  /** Every status, those that no contract has too. */
  readonly contracts: Readonly<Record<ContractStatus, number>>;
  readonly stale: number;
  readonly phaseChanges: readonly {
    readonly from: string;
    readonly to: string;
    readonly n: number;
  }[];
  readonly completions: number;
  readonly restorations: number;
  readonly outboxWaiting: number;
  /** Age of the oldest row that should have left; 0 when none waits. */
  readonly outboxOldestSeconds: number;
  readonly leases: number;
  /** Leases that are over and whose attempt is still called live. */
  readonly leasesExpired: number;
  readonly daemonsConnected: number;
}

export async function readFigures(
  db: Queryable,
  args: { readonly staleKind: string },
): Promise<StoreFigures> {
  const [tallies, stale, [now]] = await Promise.all([
    allTallies(db),
    countOpenIncidents(db, { kind: args.staleKind }),
    db<
      Pick<
        StoreFigures,
        'outboxWaiting' | 'outboxOldestSeconds' | 'leases' | 'leasesExpired' | 'daemonsConnected'
      >[]
    >`
      select o.*, a.*, (select count(*)::int from daemons where status = 'connected') as daemons_connected
        from (select count(*)::int as outbox_waiting,
                     coalesce(extract(epoch from clock() - min(not_before)), 0)::float as outbox_oldest_seconds
                from outbox where published_at is null and not_before <= clock()) o,
             (select count(*)::int as leases, count(*) filter (where lease_expires_at < clock())::int as leases_expired
                from task_attempts where state in ('assigned', 'running')) a`,
  ]);
  if (now === undefined) throw new Error('a count has no row');
  const sum = (kind: string, one?: string): number =>
    tallies
      .filter((tally) => tally.kind === kind && (one === undefined || tally.one === one))
      .reduce((total, tally) => total + tally.n, 0);
  return {
    ...now,
    stale,
    contracts: Object.fromEntries(
      contractStatuses.map((status) => [status, sum('contract', status)]),
    ) as Record<ContractStatus, number>,
    phaseChanges: tallies
      .filter((tally) => tally.kind === 'phase_change')
      .map(({ one, two, n }) => ({ from: one, to: two, n })),
    completions: sum('completion'),
    restorations: sum('restoration'),
  };
}
