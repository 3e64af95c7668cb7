/** How all contracts of an owner stand (M5.3): counts, what is stale, what waits, what happened last, what is used. */
import type { Dashboard } from '@makima/contracts/entity/dashboard';
import { databaseTime } from '@makima/db/repo/clock';
import { incidentContracts, resourceUsage, waitingContracts } from '@makima/db/repo/dashboard';
import { newestEvents, timelineOf } from '@makima/db/repo/events';
import { talliesOf, type Tally } from '@makima/db/repo/tallies';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { writeCursor } from '../event/cursor.ts';
import { monitoredTypes, presentMonitorEvent } from '../present/monitor.ts';
import type { Principal } from '../principal.ts';
import { staleKind } from './stale.ts';

const listMost = 50;
const eventsMost = 20;
/** Among so many of the newest events those are looked for that monitors have a word for. */
const eventsAmong = 200;

export async function readDashboard(engine: Engine, caller: Principal): Promise<Dashboard> {
  requireReader(caller, 'see the dashboard');
  const { sql } = engine.database;
  const { ownerId } = caller;
  return reading(
    engine.database,
    (async () => {
      const newest = { ownerId, types: monitoredTypes, among: eventsAmong, limit: eventsMost };
      const [counts, stale, waiting, events, timeline, usage, now] = await Promise.all([
        talliesOf(sql, { ownerId, kind: 'contract' }),
        incidentContracts(sql, { ownerId, kind: staleKind, limit: listMost }),
        waitingContracts(sql, { ownerId, limit: listMost }),
        newestEvents(sql, newest),
        timelineOf(sql),
        resourceUsage(sql, { ownerId }),
        databaseTime(sql),
      ]);
      return {
        statusCounts: sumBy(counts, (tally) => tally.one),
        phaseCounts: sumBy(
          counts.filter((tally) => tally.one === 'active'),
          (tally) => tally.two,
        ),
        staleContracts: stale.map(({ lastProgressAt, ...about }) => ({
          ...about,
          attention: 'stale',
          lastActivity: lastProgressAt.toISOString(),
          staleDurationSecs: Math.max(
            0,
            Math.round((now.getTime() - lastProgressAt.getTime()) / 1_000),
          ),
        })),
        waitingForInput: waiting.map(({ statusChangedAt, ...about }) => ({
          ...about,
          attention: 'needs_you',
          waitingSince: statusChangedAt.toISOString(),
        })),
        recentEvents: events.flatMap(
          (row) => presentMonitorEvent(row, writeCursor(timeline, row)) ?? [],
        ),
        resourceUsage: usage,
      };
    })(),
  );
}

function sumBy(tallies: readonly Tally[], key: (tally: Tally) => string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const tally of tallies) sums[key(tally)] = (sums[key(tally)] ?? 0) + tally.n;
  return sums;
}
