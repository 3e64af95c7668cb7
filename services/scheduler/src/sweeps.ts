/**
 * The sweeps of this service, in one list.
 *
 * Law: a sweep that is not listed here does not run.
 */
import type { Part } from '@makima/runtime/lifecycle';
import type { PlaceOwner } from './jobs/spawn-task.ts';
import { contractTimers } from './sweeps/contract-timers.ts';
import { defaultAnswers } from './sweeps/default-answers.ts';
import { dueWaits } from './sweeps/due-waits.ts';
import { expiredLeases } from './sweeps/expired-leases.ts';
import { foldTallies } from './sweeps/fold-tallies.ts';
import { heartbeatDays } from './sweeps/heartbeat-days.ts';
import { lateAnswers } from './sweeps/late-answers.ts';
import { limitsOver } from './sweeps/limits-over.ts';
import { outboxPrune } from './sweeps/outbox-prune.ts';
import { pendingTasks } from './sweeps/pending-tasks.ts';
import { retention } from './sweeps/retention.ts';
import { silentDaemons } from './sweeps/silent-daemons.ts';
import { selfAudit } from './sweeps/self-audit.ts';
import { staleContracts } from './sweeps/stale-contracts.ts';
import type { Settled } from './sweeps/settled.ts';
import type { SweepDeps } from './sweeps/sweep.ts';
import { waitingSupervisors } from './sweeps/waiting-supervisors.ts';
import { webhooks } from './sweeps/webhooks.ts';

export interface SweepsDeps extends SweepDeps {
  readonly place: PlaceOwner;
  readonly prune: () => Promise<number>;
  readonly fold: (limit: number) => Promise<number>;
  /** Whether the store has been there long enough to judge by silence. */
  readonly settled: Settled;
  /** 0: never. */
  readonly auditMs: number;
}

/** They start, stop and tick side by side. */
export function schedulerSweeps(deps: SweepsDeps): Part {
  const all = [
    expiredLeases(deps),
    silentDaemons(deps),
    pendingTasks(deps),
    dueWaits(deps),
    lateAnswers(deps),
    defaultAnswers(deps),
    waitingSupervisors(deps),
    limitsOver(deps),
    contractTimers(deps),
    staleContracts(deps),
    webhooks(deps),
    outboxPrune(deps),
    foldTallies(deps),
    retention(deps),
    heartbeatDays(deps),
    ...(deps.auditMs === 0 ? [] : [selfAudit(deps)]),
  ];
  return {
    name: 'sweeps',
    start: () => all.forEach((sweep) => sweep.start()),
    stop: async () => void (await Promise.all(all.map((sweep) => sweep.stop()))),
    tick: async () => void (await Promise.all(all.map((sweep) => sweep.tick()))),
  };
}
