/**
 * Heartbeats of supervisors: kept from what a daemon says of its agents, read as a history, and their
 * partitions tended.
 *
 * Law: telemetry: losing one loses nothing, and no lease, wait or restoration depends on it.
 */
import { channels, type Hint } from '@makima/contracts/channels';
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { supervisorHeartbeats as endpoint } from '@makima/contracts/http/supervisor';
import type { Running } from '@makima/contracts/socket/frames';
import { touchContracts } from '@makima/db/repo/contracts';
import {
  beatSupervisors,
  heartbeatsOf,
  tendPartitions,
  touchSupervisors,
} from '@makima/db/repo/heartbeats';
import { reading } from '@makima/db/tx';
import { readableContract } from '../authorize.ts';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal, Principal } from '../principal.ts';
import { supervisorFacts } from './status.ts';

/** Seed 004: the history of a day. */
export const heartbeatsKeptMs = 24 * 3_600_000;

/** A beat that comes a little early still counts: the interval is of the daemons' own beats. */
const early = 0.9;

/** Of what a daemon was just granted; answers how many heartbeats were kept. */
export function keepHeartbeats(
  engine: Engine,
  { ownerId }: Pick<DaemonPrincipal, 'ownerId'>,
  renewed: readonly Running[],
): Promise<number> {
  const { heartbeatIntervalMs, features } = engine.settings;
  const beat = {
    taskIds: renewed.map((one) => one.taskId),
    intervalMs: heartbeatIntervalMs * early,
  };
  if (beat.taskIds.length === 0) return Promise.resolve(0);
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      if (!features.supervisorHeartbeat) {
        await touchSupervisors(sql, beat);
        return 0;
      }
      const contractIds = await beatSupervisors(sql, beat);
      // By itself, after the commit: nobody is held up by a beat.
      if (contractIds.length > 0) await touchContracts(sql, { contractIds });
      engine.committed({ mail: 0, hints: hintsOf(ownerId, contractIds) });
      return contractIds.length;
    })(),
  );
}

/** As many ids as fit into a hint. */
const idsPerHint = 25;

function hintsOf(ownerId: string, contractIds: readonly string[]): Hint[] {
  const hints: Hint[] = [];
  for (let at = 0; at < contractIds.length; at += idsPerHint) {
    const body = contractIds.slice(at, at + idsPerHint).join(',');
    hints.push({ channel: channels.heartbeats(ownerId), body });
  }
  return hints;
}

export function supervisorHeartbeats(
  engine: Engine,
  caller: Principal,
  input: { id: string; limit: number },
): Promise<ResponseOf<typeof endpoint>> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const { task } = await supervisorFacts(sql, contract);
      const about = { ownerId: contract.ownerId, taskId: task.id };
      const kept = { limit: input.limit, keepMs: heartbeatsKeptMs };
      const rows = await heartbeatsOf(sql, { ...about, ...kept });
      return {
        heartbeats: rows.map((row) => ({
          timestamp: row.at.toISOString(),
          state: row.state,
          phase: row.phase,
          activity: row.currentActivity,
          progress: row.progress,
          pending_task_ids: [...row.pendingTaskIds],
          epoch: row.epoch,
        })),
      };
    })(),
  );
}

/** Sweep: the partitions of these days are there, those of days that nobody may ask for are gone. */
export function tendHeartbeats(engine: Engine): Promise<number> {
  return reading(
    engine.database,
    tendPartitions(engine.database.sql, { keepMs: heartbeatsKeptMs }),
  );
}
