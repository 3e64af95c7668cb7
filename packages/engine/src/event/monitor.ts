/**
 * What monitors of an owner's contracts are told, after a cursor: the events that they have a word for, each
 * with the status that its contract had then; and the signs of life of supervisors.
 *
 * Law: the same rows in the same order to every reader, so that what was missed is told as it was told live.
 */
import type { MonitorEvent } from '@makima/contracts/entity/monitor';
import type { ContractStatus } from '@makima/domain/contract';
import type { MonitorFactAbout } from '@makima/domain/monitor';
import {
  eventsAfter,
  newestPosition,
  statusesBefore,
  timelineOf,
  type EventRow,
} from '@makima/db/repo/events';
import { lastHeartbeats } from '@makima/db/repo/supervisors';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { monitoredTypes, presentHeartbeat, presentMonitorEvent } from '../present/monitor.ts';
import type { Principal } from '../principal.ts';
import { later, parseCursor, writeCursor, type EventPosition } from './cursor.ts';

export { isAfter, type EventPosition } from './cursor.ts';

export interface MonitorFact extends MonitorFactAbout {
  readonly event: MonitorEvent;
  readonly position: EventPosition;
}

export interface MonitorPage {
  readonly facts: readonly MonitorFact[];
  /** Where to go on, as a cursor and as a place. */
  readonly cursor: string;
  readonly position: EventPosition;
  /** More is there already. */
  readonly full: boolean;
}

/** @throws VALIDATION_FAILED for a cursor that is none or of another timeline. */
export async function readMonitor(
  engine: Engine,
  caller: Principal,
  input: { readonly after: string; readonly limit: number },
): Promise<MonitorPage> {
  requireReader(caller, 'monitor contracts');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const timeline = await timelineOf(sql);
      const asked = parseCursor(input.after, timeline);
      // Read before the events: whatever committed until here is in the page or above this position.
      const newest = await newestPosition(sql);
      const empty = (at: EventPosition): MonitorPage => ({
        facts: [],
        cursor: writeCursor(timeline, at),
        position: at,
        full: false,
      });
      if (asked === 'now') return empty(newest);
      const { ownerId } = caller;
      const rows = await eventsAfter(sql, {
        ownerId,
        after: asked,
        types: monitoredTypes,
        limit: input.limit,
      });
      const last = rows.at(-1);
      if (last === undefined) return empty(later(newest, asked));
      const facts = factsOf(rows, timeline, await statusesBefore(sql, { places: firstOf(rows) }));
      const full = rows.length >= input.limit;
      const position = full ? { xid: last.xid, id: last.id } : later(newest, last);
      return { facts, cursor: writeCursor(timeline, position), position, full };
    })(),
  );
}

/** The first event of each contract in the page. */
function firstOf(rows: readonly EventRow[]): { contractId: string; seq: number }[] {
  const first = new Map<string, number>();
  for (const { contractId, seq } of rows)
    if (contractId !== null && seq !== null && !first.has(contractId)) first.set(contractId, seq);
  return [...first].map(([contractId, seq]) => ({ contractId, seq }));
}

function factsOf(
  rows: readonly EventRow[],
  timeline: string,
  before: ReadonlyMap<string, ContractStatus>,
): MonitorFact[] {
  const statuses = new Map(before);
  return rows.flatMap((row) => {
    const event = presentMonitorEvent(row, writeCursor(timeline, row));
    if (event === undefined) return [];
    const contractId = event.contract_id;
    const leftStatus = event.type === 'status_changed' ? event.old_status : null;
    if (event.type === 'status_changed') statuses.set(contractId, event.new_status);
    const isStale = event.type === 'stale_detected' || event.type === 'stale_cleared';
    return {
      event,
      kind: isStale ? ('stale' as const) : ('other' as const),
      contractId,
      status: statuses.get(contractId) ?? 'created',
      leftStatus,
      position: { xid: row.xid, id: row.id },
    };
  });
}

export type HeartbeatFact = Omit<MonitorFact, 'position'> & { readonly at: Date };

/** The last sign of life of these contracts' supervisors. */
export async function readHeartbeats(
  engine: Engine,
  caller: Principal,
  input: { readonly contractIds: readonly string[] },
): Promise<HeartbeatFact[]> {
  requireReader(caller, 'monitor contracts');
  const rows = await reading(
    engine.database,
    lastHeartbeats(engine.database.sql, { ownerId: caller.ownerId, ...input }),
  );
  return rows.map((row) => ({
    event: presentHeartbeat(row),
    kind: 'heartbeat',
    contractId: row.contractId,
    status: row.status,
    leftStatus: null,
    at: row.lastHeartbeatAt,
  }));
}
