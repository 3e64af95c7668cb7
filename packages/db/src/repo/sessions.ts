/** Sockets of daemons as the rows see them: replaced, revoked, given up, or with something to be told. */
import type { Queryable } from '../client.ts';

export interface SessionRow {
  readonly daemonId: string;
  /** A newer connection of this daemon exists. */
  readonly replaced: boolean;
  /** Its key or the daemon itself is revoked, or the key is over. */
  readonly revoked: boolean;
  /** The rows do not count this connection as one any more. */
  readonly dropped: boolean;
  /** Unacked commands after the number given. */
  readonly waiting: boolean;
}

/** Only those of the given sessions about which there is something to do. */
export async function sessionsToTend(
  db: Queryable,
  sessions: readonly {
    daemonId: string;
    keyId: string;
    sessionEpoch: number;
    afterSeq: number;
  }[],
): Promise<SessionRow[]> {
  if (sessions.length === 0) return [];
  return db<SessionRow[]>`
    with given as (
      select * from unnest(
        ${sessions.map((s) => s.daemonId)}::uuid[], ${sessions.map((s) => s.keyId)}::uuid[],
        ${sessions.map((s) => s.sessionEpoch)}::int[], ${sessions.map((s) => s.afterSeq)}::int[])
        as g(daemon_id, key_id, session_epoch, after_seq)),
    seen as (
      select g.daemon_id,
             coalesce(d.session_epoch > g.session_epoch, false) as replaced,
             d.id is null or d.status = 'revoked' or k.id is null or k.revoked_at is not null
               or coalesce(k.expires_at <= clock(), false) as revoked,
             coalesce(d.status <> 'connected' and d.session_epoch = g.session_epoch, false) as dropped,
             exists (select 1 from daemon_commands c
                      where c.daemon_id = g.daemon_id and c.seq > g.after_seq and c.acked_at is null) as waiting
        from given g left join daemons d on d.id = g.daemon_id left join keys k on k.id = g.key_id)
    select * from seen where replaced or revoked or dropped or waiting`;
}
