/**
 * A journal under another id: for when the server knows another history of the old one than this machine (its
 * store was restored to an earlier time, or this disk was). What is not acked goes along, numbered from 1.
 *
 * Law: built beside the old journal and put in its place by renaming, so that a crash leaves the one or the
 * other. Attempts and taken commands are the same before and after.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createBacklog, type Backlog } from './backlog.ts';
import { bodyOffset, encodeLine, type JournalLine } from './line.ts';
import { openSegment, type SegmentWriter } from './segments.ts';
import { loadState, storeState, type JournalState } from './state.ts';

export interface Renewal {
  readonly directory: string;
  readonly journalId: string;
  readonly state: JournalState;
  /** Number of the last report that is on the disk. */
  readonly durableSeq: number;
  /** JSON of a report that is not acked. */
  readonly body: (seq: number) => Promise<string>;
}

export interface Renewed {
  readonly writer: SegmentWriter;
  readonly backlog: Backlog;
}

export const asideName = (directory: string): string => `${directory}.renewed`;

/** Writes the new journal and puts it in the old one's place. Numbers fall by `state.ackedSeq`. */
export async function renewFiles(renewal: Renewal): Promise<Renewed> {
  const { directory, state, durableSeq } = renewal;
  const aside = asideName(directory);
  await rm(aside, { recursive: true, force: true });
  const backlog = createBacklog();
  await mkdir(aside, { mode: 0o700 });
  const building = await openSegment(aside, 1, 0);
  await building.append(encodeLine({ kind: 'head', seq: 0, body: headOf(renewal) }));
  for (let seq = state.ackedSeq + 1; seq <= durableSeq; seq++) {
    const body = await renewal.body(seq);
    const line: JournalLine = { kind: 'report', seq: seq - state.ackedSeq, body };
    const bytes = encodeLine(line);
    const before = bodyOffset(line);
    const length = bytes.length - before - 1;
    backlog.add(line.seq, { segment: 1, offset: building.bytes + before, length }, null);
    await building.append(bytes);
  }
  const endBytes = building.bytes;
  await building.close();
  const former = `${directory}-former-${state.journalId}`;
  await rename(directory, former);
  await rename(aside, directory);
  await syncParent(directory);
  await rm(former, { recursive: true, force: true });
  return { writer: await openSegment(directory, 1, endBytes), backlog };
}

/** The state before any report: its reports follow as lines. */
function headOf({ state, journalId }: Renewal): string {
  const head = loadState(storeState(state));
  head.journalId = journalId;
  shiftState(head, state.ackedSeq);
  head.lastReportSeq = 0;
  return storeState(head);
}

/** Lowers all report numbers of a state, as its journal's were. */
export function shiftState(state: JournalState, by: number): void {
  state.lastReportSeq -= by;
  state.ackedSeq = 0;
  for (const attempt of state.attempts.values()) {
    if (attempt.endedSeq > 0) attempt.endedSeq = Math.max(1, attempt.endedSeq - by);
  }
}

async function syncParent(directory: string): Promise<void> {
  const handle = await open(dirname(directory), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
