/** An event as it goes over the wire: to whoever follows, and to webhooks. */
import type { Event } from '@makima/contracts/entity/event';
import type { EventRow } from '@makima/db/repo/events';

export function presentEvent(row: EventRow): Event {
  return {
    id: String(row.id),
    contractId: row.contractId,
    seq: row.seq,
    type: row.type,
    actor: row.actor,
    taskId: row.taskId,
    data: row.data,
    time: row.at.toISOString(),
    v: 1,
  };
}
