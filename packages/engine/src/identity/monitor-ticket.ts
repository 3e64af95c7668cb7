/**
 * Tickets that open one monitor: given to whoever may watch, good once and for a short time.
 *
 * Law: by the database's clock; of two that come with the same ticket one is let in, whatever process they
 * come to. What a ticket looks like outside is the door's business.
 */
import { takeOnce } from '@makima/db/repo/idempotency';
import { databaseTime } from '@makima/db/repo/clock';
import { newId } from '@makima/db/repo/locks';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import { act, type Engine } from '../context.ts';
import type { Principal } from '../principal.ts';

export interface OnceTicket {
  readonly ticketId: string;
  readonly expiresAt: string;
}

const ticketMs = 30_000;
/** So long beyond its time a used one is known: to whoever came in time and was slow, or by a clock that was set back. */
const rememberedMs = 3_600_000;
const what = 'monitor contracts';

export async function offerMonitorTicket(engine: Engine, caller: Principal): Promise<OnceTicket> {
  requireReader(caller, what);
  const { sql } = engine.database;
  const [ticketId, now] = await reading(
    engine.database,
    Promise.all([newId(sql), databaseTime(sql)]),
  );
  return { ticketId, expiresAt: new Date(now.getTime() + ticketMs).toISOString() };
}

/** Whether it was still good; from now on it is not. */
export async function takeMonitorTicket(
  engine: Engine,
  caller: Principal,
  ticket: OnceTicket,
): Promise<boolean> {
  const { result } = await act(engine, { caller }, async (a) => {
    requireReader(caller, what);
    const expiresAt = new Date(ticket.expiresAt);
    if (expiresAt <= a.now) return false;
    const key = `monitor-ticket:${ticket.ticketId}`;
    const forgottenAt = new Date(expiresAt.getTime() + rememberedMs);
    return takeOnce(a.tx, { ownerId: a.ownerId, key, expiresAt: forgottenAt });
  });
  return result;
}
