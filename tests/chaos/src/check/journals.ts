// The journals of daemons, read past them: what they told is acked, and what the rows call over is over there.
// Law: what was told in this very moment has its time to be taken; what never comes is found all the same.
import { join } from 'node:path';
import { listSegments, readSegment } from '@makima/daemon/journal/segments';
import {
  applyEntry,
  emptyState,
  parseEntry,
  type JournalState,
} from '@makima/daemon/journal/state';
import type postgres from 'postgres';
import { pause } from '../pause.ts';
import { clean, type Verdict } from './verdict.ts';

/** So long a report may be on its way. */
const takenWithinMs = 20_000;

export async function checkJournals(
  sql: postgres.Sql,
  daemonHomes: readonly string[],
  into: Verdict,
): Promise<void> {
  const limit = performance.now() + takenWithinMs;
  for (;;) {
    const part = clean();
    await lookAt(sql, daemonHomes, part);
    const isRight = part.lost.length + part.broken.length === 0;
    if (isRight || performance.now() > limit) {
      into.lost.push(...part.lost);
      into.broken.push(...part.broken);
      return;
    }
    await pause(500);
  }
}

async function lookAt(
  sql: postgres.Sql,
  daemonHomes: readonly string[],
  into: Verdict,
): Promise<void> {
  for (const home of daemonHomes) {
    const state = await readJournal(join(home, 'journal'));
    if (state === null) continue;
    const [row] = await sql<{ appliedSeq: string }[]>`
      select applied_seq as "appliedSeq" from daemon_journals where journal_id = ${state.journalId}`;
    const applied = Number(row?.appliedSeq ?? 0);
    if (applied < state.lastReportSeq)
      into.lost.push(`${home}: reports ${applied + 1} to ${state.lastReportSeq} were never taken`);
    for (const { taskId, attempt, phase } of state.attempts.values()) {
      const over = await sql`
        select 1 from task_attempts where task_id = ${taskId} and attempt = ${attempt}
           and state not in ('assigned', 'running')`;
      if (over.length > 0 && phase !== 'ended')
        into.broken.push(`${home}: ${taskId} attempt ${attempt} is over and ${phase} here (I15)`);
    }
  }
}

async function readJournal(directory: string): Promise<JournalState | null> {
  const state = emptyState('');
  let headed = false;
  const segments = await listSegments(directory);
  for (const segment of segments) {
    let isFirst = true;
    await readSegment(directory, segment, {
      tornEnd: segment === segments.at(-1) ? 'cut' : 'refuse',
      visit({ line }) {
        // Later heads repeat what was said before.
        if (!isFirst || !headed) applyEntry(state, parseEntry(line));
        isFirst = false;
        headed = true;
      },
    });
  }
  return headed ? state : null;
}
