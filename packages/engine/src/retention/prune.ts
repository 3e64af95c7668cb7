/** Sweep: what has outlived its use is removed. Answers how many rows, of the kind that had most. */
import {
  dropExpiredIdempotency,
  dropOldDeliveries,
  dropOldCommands,
  dropOldIncidents,
  dropOldToolKeys,
} from '@makima/db/repo/retention';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';

export function pruneExpired(engine: Engine, input: { limit: number }): Promise<number> {
  const { sql } = engine.database;
  const keepMs = engine.settings.incidentRetentionMs;
  return reading(
    engine.database,
    (async () =>
      Math.max(
        await dropExpiredIdempotency(sql, input),
        await dropOldCommands(sql, input),
        await dropOldToolKeys(sql, input),
        await dropOldDeliveries(sql, input),
        keepMs === null ? 0 : await dropOldIncidents(sql, { ...input, keepMs }),
      ))(),
  );
}
