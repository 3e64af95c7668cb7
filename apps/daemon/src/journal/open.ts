/**
 * How a journal is opened: all segments read once, from the oldest; a torn end cut off; an empty last segment
 * (the process died while it began one) removed.
 *
 * Law: the state is what the lines add up to. A damaged journal is put aside under another name, never
 * repaired by guessing; the new one has another id, which tells the server that reports may be missing.
 */
import { access, rename } from 'node:fs/promises';
import { asideName } from './renew.ts';
import { createBacklog, type Backlog } from './backlog.ts';
import { bodyOffset, encodeLine, type ScannedLine } from './line.ts';
import {
  JournalDamaged,
  listSegments,
  openSegment,
  readSegment,
  removeSegment,
  type SegmentWriter,
} from './segments.ts';
import { applyEntry, emptyState, parseEntry, storeState, type JournalState } from './state.ts';

export interface OpenedFiles {
  readonly state: JournalState;
  readonly backlog: Backlog;
  /** Numbers of all segments, the written one last. */
  readonly segments: number[];
  writer: SegmentWriter;
}

export interface OpenOptions {
  readonly directory: string;
  readonly newJournalId: () => string;
  readonly onTrouble: (error: unknown) => void;
}

export async function openFiles(options: OpenOptions): Promise<OpenedFiles> {
  try {
    return (await openExisting(options.directory)) ?? (await begin(options));
  } catch (error) {
    if (!(error instanceof JournalDamaged)) throw error;
    options.onTrouble(error);
    await rename(options.directory, `${options.directory}-damaged-${options.newJournalId()}`);
    return begin(options);
  }
}

async function begin(options: OpenOptions): Promise<OpenedFiles> {
  await listSegments(options.directory);
  const state = emptyState(options.newJournalId());
  const writer = await openSegment(options.directory, 1, 0);
  await writer.append(encodeLine({ kind: 'head', seq: 0, body: storeState(state) }));
  return { state, backlog: createBacklog(), segments: [1], writer };
}

async function openExisting(directory: string): Promise<OpenedFiles | null> {
  await finishRenewal(directory);
  const segments = await listSegments(directory);
  const state = emptyState('');
  const backlog = createBacklog();
  let endBytes = 0;
  let headed = false;
  for (const segment of segments) {
    const isLast = segment === segments.at(-1);
    let first = true;
    endBytes = await readSegment(directory, segment, {
      tornEnd: isLast ? 'cut' : 'refuse',
      visit(scanned) {
        if (first && scanned.line.kind !== 'head')
          throw new JournalDamaged('a segment has no head');
        // Later heads only repeat what their lines before said; the first one stands for removed segments.
        if (!first || !headed) visitLine(state, backlog, segment, scanned);
        first = false;
        headed = true;
      },
    });
    if (endBytes === 0 && isLast) {
      await removeSegment(directory, segment);
      segments.pop();
      return headed ? openExisting(directory) : null;
    }
  }
  const last = segments.at(-1);
  if (last === undefined) return null;
  settleAck(state, backlog);
  return { state, backlog, segments, writer: await openSegment(directory, last, endBytes) };
}

/** The former life died between the two renames of a renewal: the new journal is whole, take it. */
async function finishRenewal(directory: string): Promise<void> {
  const isThere = await access(directory).then(
    () => true,
    () => false,
  );
  if (!isThere) await rename(asideName(directory), directory).catch(() => undefined);
}

function visitLine(
  state: JournalState,
  backlog: Backlog,
  segment: number,
  { line, offset, length }: ScannedLine,
): void {
  applyEntry(state, parseEntry(line));
  if (line.kind !== 'report') return;
  const before = bodyOffset(line);
  backlog.add(line.seq, { segment, offset: offset + before, length: length - before - 1 }, null);
}

/** Acks are written with whatever comes next, and segments go only when acked: so what is gone was acked. */
function settleAck(state: JournalState, backlog: Backlog): void {
  const gone = (backlog.oldestSeq() ?? state.lastReportSeq + 1) - 1;
  const acked = Math.max(state.ackedSeq, gone);
  applyEntry(state, { kind: 'acked', seq: acked });
  backlog.ack(state.ackedSeq);
}
