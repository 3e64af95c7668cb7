/**
 * A daemon's heartbeat renews all its leases at once, and tells it what is over.
 *
 * Law: two statements, each on one kind of row and committed by itself: a heartbeat never holds one lock
 * while it waits for another, so it can block nothing.
 */
import type { Running } from '@makima/contracts/socket/frames';
import { MakimaError } from '@makima/domain/error';
import { renewAttempts } from '@makima/db/repo/attempts';
import { seeDaemon, sessionEpochOf } from '@makima/db/repo/daemons';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

export interface Beat {
  readonly leaseMs: number;
  readonly renewed: readonly Running[];
  readonly fenced: readonly Running[];
}

/** Throws FENCED when a newer connection of this daemon exists. */
export function renewLeases(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { sessionEpoch: number; running: readonly Running[]; freeDiskBytes: number | null },
): Promise<Beat> {
  return reading(engine.database, beat(engine, caller, input));
}

async function beat(
  engine: Engine,
  { daemonId }: DaemonPrincipal,
  input: { sessionEpoch: number; running: readonly Running[]; freeDiskBytes: number | null },
): Promise<Beat> {
  const { sql } = engine.database;
  const { sessionEpoch, running, freeDiskBytes } = input;
  const seen = await seeDaemon(sql, { id: daemonId, sessionEpoch, freeDiskBytes });
  if (!seen) throw new MakimaError('FENCED', 'a newer connection of this daemon exists');
  const { leaseMs } = engine.settings;
  const renewed = await renewAttempts(sql, { daemonId, sessionEpoch, running, leaseMs });
  if (
    renewed.length < running.length &&
    (await sessionEpochOf(sql, { id: daemonId })) !== sessionEpoch
  )
    throw new MakimaError('FENCED', 'a newer connection of this daemon exists');
  const fenced = running.filter(
    (r) => !renewed.some((k) => k.taskId === r.taskId && k.attempt === r.attempt),
  );
  return { leaseMs, renewed, fenced };
}
