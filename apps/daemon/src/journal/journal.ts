/**
 * The daemon's journal: what it was told and what it has to tell, on the disk before it counts.
 *
 * Law: reports carry gapless numbers from 1 in the order in which they were given; what a returned promise
 * resolved for survives kill -9 at any byte; nothing is forgotten before its ack. Writes are grouped: one
 * fsync for all that came while the last one ran.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import type { Backlog } from './backlog.ts';
import { renewFiles, shiftState } from './renew.ts';
import { bodyOffset, encodeLine, type JournalLine } from './line.ts';
import { openFiles, type OpenedFiles } from './open.ts';
import { openSegment, readAt, removeSegment, type SegmentWriter } from './segments.ts';
import { applyEntry, storeState, type Entry, type JournalState, type RunNote } from './state.ts';

export interface JournalOptions {
  readonly directory: string;
  /** A fresh id for a journal that begins. */
  readonly newJournalId: () => string;
  /** Takes secrets out of a line's JSON before it is written. */
  readonly redact: (json: string) => string;
  /** Told of writes that failed; they are tried again until the journal closes. */
  readonly onTrouble: (error: unknown) => void;
  /** Reports that wait beyond this many bytes make the journal `full`. */
  readonly capBytes: number;
  readonly segmentBytes?: number;
  readonly retryMs?: number;
}

export interface Journal {
  /** As of the last call, whether on the disk yet or not. For reading only. */
  readonly state: Readonly<JournalState>;
  /** Reports up to this number are on the disk and may be sent. */
  readonly durableSeq: number;
  /** Commands up to this number are on the disk: what the server may be told of. */
  readonly durableCommandSeq: number;
  /** No more output should be written: its reader must say so in a `dropped` line. */
  readonly full: boolean;
  /** Resolves when the report is on the disk. */
  report(report: Report): Promise<void>;
  /** Takes a command over; false when its number was taken before. Resolves when it is on the disk. */
  take(seq: number, command: Command): Promise<boolean>;
  applied(seq: number): Promise<void>;
  /** Before an agent is executed, and after. */
  note(kind: 'intent' | 'running', note: RunNote): Promise<void>;
  /** The server has applied reports up to `seq`. */
  ack(seq: number): void;
  /** JSON of the durable reports from `fromSeq` on, at least one, further ones up to `maxBytes`. */
  read(fromSeq: number, maxBytes: number): Promise<string[]>;
  /** Goes on under another id: the server knows another history of this one. See `renew.ts`. */
  renew(): Promise<void>;
  /** Called whenever `durableSeq` has risen. */
  onDurable(listener: () => void): void;
  close(): Promise<void>;
}

const defaultSegmentBytes = 8 * 1024 * 1024;

interface Queued {
  readonly line: JournalLine;
  readonly bytes: Buffer;
}

/** Everything that an open journal holds. */
interface Core extends Omit<OpenedFiles, 'backlog'> {
  backlog: Backlog;
  readonly options: JournalOptions;
  queue: Queued[];
  queuedBytes: number;
  /** Lines that were queued and that are on the disk, since the journal was opened. */
  enqueued: number;
  written: number;
  durableSeq: number;
  durableCommandSeq: number;
  ackDirty: boolean;
  renewing: boolean;
  closing: boolean;
  /** Removals of segments, one after the other: a gap among them would be a loss. */
  trimming: Promise<void>;
  /** The write that runs. */
  flushing: Promise<void> | null;
  readonly listeners: (() => void)[];
}

/** Opens the journal in `directory`, or begins one. A damaged one is put aside whole. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const opened = await openFiles(options);
  const core: Core = {
    ...opened,
    options,
    queue: [],
    queuedBytes: 0,
    enqueued: 0,
    written: 0,
    durableSeq: opened.state.lastReportSeq,
    durableCommandSeq: opened.state.lastCommandSeq,
    ackDirty: false,
    renewing: false,
    closing: false,
    trimming: Promise.resolve(),
    flushing: null,
    listeners: [],
  };
  return {
    state: core.state,
    get durableSeq() {
      return core.durableSeq;
    },
    get durableCommandSeq() {
      return core.durableCommandSeq;
    },
    get full() {
      return core.backlog.bytes + core.queuedBytes > options.capBytes;
    },
    report: (report) => write(core, { kind: 'report', seq: core.state.lastReportSeq + 1, report }),
    async take(seq, command) {
      if (seq <= core.state.lastCommandSeq) {
        await flushed(core);
        return false;
      }
      await write(core, { kind: 'command', seq, command });
      return true;
    },
    applied: (seq) => write(core, { kind: 'applied', seq }),
    note: (kind, note) => write(core, { kind, note }),
    ack: (seq) => acknowledge(core, seq),
    read: (fromSeq, maxBytes) => readReports(core, fromSeq, maxBytes),
    renew() {
      core.renewing = true;
      return flushed(core);
    },
    onDurable: (listener) => void core.listeners.push(listener),
    close: () => close(core),
  };
}

function write(core: Core, entry: Entry): Promise<void> {
  if (core.closing) return Promise.reject(new Error('the journal is closed'));
  if (core.ackDirty) enqueue(core, { kind: 'acked', seq: core.state.ackedSeq });
  core.ackDirty = false;
  applyEntry(core.state, entry);
  enqueue(core, entry);
  return flushed(core);
}

function enqueue(core: Core, entry: Entry): void {
  const line = toLine(entry, core.options.redact);
  const bytes = encodeLine(line);
  core.queue.push({ line, bytes });
  core.enqueued += 1;
  core.queuedBytes += bytes.length;
}

/** Resolves when everything that is queued now is on the disk. */
async function flushed(core: Core): Promise<void> {
  const target = core.enqueued;
  while (core.written < target || core.renewing) {
    core.flushing ??= flushOnce(core).finally(() => {
      core.flushing = null;
    });
    await core.flushing;
  }
}

/** Waits one tick, so that what is said together is written together, and writes the queue. */
async function flushOnce(core: Core): Promise<void> {
  await Promise.resolve();
  if (core.renewing) await renew(core);
  const batch = core.queue;
  core.queue = [];
  if (batch.length === 0) return;
  const bytes = Buffer.concat(batch.map((queued) => queued.bytes));
  const rotate =
    core.writer.bytes + bytes.length > (core.options.segmentBytes ?? defaultSegmentBytes);
  // The state is, at this moment, what all lines up to this batch add up to.
  const head = rotate ? encodeLine(headLine(core)) : null;
  const start = core.writer.bytes;
  await persist(core, () => core.writer.append(bytes));
  core.queuedBytes -= bytes.length;
  core.written += batch.length;
  place(core.backlog, core.writer.segment, start, batch);
  if (head !== null) await persist(core, () => nextSegment(core, head));
  core.durableCommandSeq = lastSeq(batch, 'command') ?? core.durableCommandSeq;
  const durableSeq = lastSeq(batch, 'report');
  if (durableSeq === undefined) return;
  core.durableSeq = durableSeq;
  for (const listener of core.listeners) listener();
}

function lastSeq(batch: readonly Queued[], kind: JournalLine['kind']): number | undefined {
  return batch.findLast((queued) => queued.line.kind === kind)?.line.seq;
}

/** Runs between two writes: what is queued is numbered anew as well. */
async function renew(core: Core): Promise<void> {
  const { options, state } = core;
  const by = state.ackedSeq;
  const journalId = options.newJournalId();
  await core.trimming;
  const durable: JournalState = { ...state, lastReportSeq: core.durableSeq };
  await persist(core, async () => {
    const renewed = await renewFiles({
      directory: options.directory,
      journalId,
      state: durable,
      durableSeq: core.durableSeq,
      body: async (seq) => (await readReports(core, seq, 0))[0] ?? '',
    });
    await core.writer.close();
    Object.assign(core, renewed);
  });
  core.segments.splice(0, core.segments.length, 1);
  state.journalId = journalId;
  shiftState(state, by);
  core.durableSeq -= by;
  core.queue = core.queue.map(({ line }) => renumbered(line, by));
  core.renewing = false;
}

function renumbered(line: JournalLine, by: number): Queued {
  const isCounted = line.kind === 'report' || line.kind === 'acked';
  const moved = isCounted ? { ...line, seq: Math.max(0, line.seq - by) } : line;
  return { line: moved, bytes: encodeLine(moved) };
}

function place(backlog: Backlog, segment: number, start: number, batch: readonly Queued[]): void {
  let offset = start;
  for (const { line, bytes } of batch) {
    if (line.kind === 'report') {
      const before = bodyOffset(line);
      const length = bytes.length - before - 1;
      backlog.add(line.seq, { segment, offset: offset + before, length }, line.body);
    }
    offset += bytes.length;
  }
}

/** Tries until it works: a full disk must hold the agents back, not lose what they said. */
async function persist(core: Core, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      core.options.onTrouble(error);
      if (core.closing) throw error;
      await new Promise((resolve) => setTimeout(resolve, core.options.retryMs ?? 250));
    }
  }
}

async function nextSegment(core: Core, head: Buffer): Promise<void> {
  const { directory } = core.options;
  const next: SegmentWriter = await openSegment(directory, core.writer.segment + 1, 0);
  try {
    await next.append(head);
  } catch (error) {
    await next.close();
    throw error;
  }
  await core.writer.close();
  core.writer = next;
  core.segments.push(next.segment);
  trim(core);
}

function acknowledge(core: Core, seq: number): void {
  if (seq <= core.state.ackedSeq) return;
  applyEntry(core.state, { kind: 'acked', seq });
  core.ackDirty = true;
  core.backlog.ack(core.state.ackedSeq);
  if (core.segments.length > 1) trim(core);
}

/** Removes the segments in which nothing waits any more. The last one stays: it is being written. */
function trim(core: Core): void {
  core.trimming = core.trimming.then(() => removeOldest(core)).catch(core.options.onTrouble);
}

async function removeOldest(core: Core): Promise<void> {
  const keepFrom = core.backlog.oldestSegment() ?? core.writer.segment;
  while (core.segments.length > 1 && (core.segments[0] ?? keepFrom) < keepFrom) {
    await removeSegment(core.options.directory, core.segments[0] ?? keepFrom);
    core.segments.shift();
  }
}

async function readReports(core: Core, fromSeq: number, maxBytes: number): Promise<string[]> {
  const found: string[] = [];
  let bytes = 0;
  for (let seq = fromSeq; seq <= core.durableSeq; seq++) {
    const report = core.backlog.find(seq);
    if (report === null) break;
    bytes += report.place.length;
    if (found.length > 0 && bytes > maxBytes) break;
    const { segment, ...range } = report.place;
    found.push(report.body ?? (await readAt(core.options.directory, segment, range)).toString());
  }
  return found;
}

async function close(core: Core): Promise<void> {
  if (core.ackDirty) enqueue(core, { kind: 'acked', seq: core.state.ackedSeq });
  core.ackDirty = false;
  core.closing = true;
  await flushed(core).catch(() => undefined);
  await core.trimming;
  await core.writer.close().catch(() => undefined);
}

function headLine(core: Core): JournalLine {
  return toLine({ kind: 'head', state: storeState(core.state) }, core.options.redact);
}

function toLine(entry: Entry, redact: (json: string) => string): JournalLine {
  switch (entry.kind) {
    case 'head':
      return { kind: 'head', seq: 0, body: redact(entry.state) };
    case 'report':
      return { kind: 'report', seq: entry.seq, body: redact(JSON.stringify(entry.report)) };
    case 'command':
      return { kind: 'command', seq: entry.seq, body: JSON.stringify(entry.command) };
    case 'applied':
    case 'acked':
      return { kind: entry.kind, seq: entry.seq, body: '' };
    case 'intent':
    case 'running':
      return { kind: entry.kind, seq: 0, body: JSON.stringify(entry.note) };
  }
}
