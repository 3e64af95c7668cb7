/**
 * What the sockets of one gateway need: one look for all of them. It finds takeovers, revoked keys and
 * commands whose hint was lost.
 *
 * Law: a read; the truth is the rows, the gateway only acts on it.
 */
import { sessionsToTend, type SessionRow } from '@makima/db/repo/sessions';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';

export interface OpenSession {
  readonly daemonId: string;
  readonly keyId: string;
  readonly sessionEpoch: number;
  /** Number of the last command that was sent over this socket. */
  readonly afterSeq: number;
}

/** Answers only the sessions about which there is something to do. */
export function tendSessions(
  engine: Engine,
  sessions: readonly OpenSession[],
): Promise<SessionRow[]> {
  return reading(engine.database, sessionsToTend(engine.database.sql, sessions));
}
