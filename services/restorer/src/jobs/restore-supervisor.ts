/**
 * Job `restore-supervisor`: bring a supervisor without a live lease back where it was, under its next epoch.
 *
 * Law: fenced by the attempt in the ticket. A crash before the verb leaves everything, one after it nothing
 * to do: ten restorers are one restoration.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { restoreSupervisor as restore } from '@makima/engine/supervisor/restore';
import { racepoint } from '@makima/runtime/racepoint';
import type { RestorerMetrics } from '../restorer-metrics.ts';

export interface RestoreTicket {
  readonly ownerId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** The same for a ticket and for the sweep; answers what was done. */
export type Restore = (ticket: RestoreTicket) => Promise<string>;

export function restoreOne(engine: Engine, metrics: RestorerMetrics): Restore {
  return async ({ ownerId, taskId, attempt }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'restore-supervisor' };
    await racepoint('restore.step.1');
    const { result } = await restore(engine, caller, { taskId, attempt });
    await racepoint('restore.step.2');
    metrics.restores.inc({ outcome: result });
    if (result !== 'nothing' && result !== 'blocked') metrics.restarts.inc();
    return result;
  };
}

export function restoreSupervisor(restoreIt: Restore): JobHandler<'restore-supervisor'> {
  return async ({ ownerId, taskId, attempt }, { log }) => {
    const outcome = await restoreIt({ ownerId, taskId, attempt });
    if (outcome !== 'nothing') log.info({ taskId, attempt, outcome }, 'supervisor restored');
    await racepoint('restore.step.3');
  };
}
