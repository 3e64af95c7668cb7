/**
 * Sends the journal's reports: in order, in frames of bounded size, with a bounded amount under way.
 *
 * Law: the journal decides what exists, the server's ack what is done; this file only remembers how far it
 * read. Starting over from the last ack is always right, a report that arrives twice is applied once.
 */
import { afterAck, afterSend, cursorAt, rewound, type Cursor } from '@makima/domain/sequence';
import type { Journal } from '../journal/journal.ts';
import type { GatewaySocket } from './socket.ts';

export interface SenderOptions {
  readonly journal: Journal;
  /** Most bytes of reports that are sent and not acked. */
  readonly windowBytes: number;
  /** Bytes of reports in one frame; one report alone may be larger. */
  readonly frameBytes: number;
  /** No ack for this long while something is under way: everything from the last ack is sent again. */
  readonly resendMs: number;
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

export interface Sender {
  /** A welcomed socket and how far its server is: everything after that goes out on it. */
  attach(socket: GatewaySocket, ackedSeq: number): void;
  detach(): void;
  /** The server says that it applied reports up to `seq`; more than was sent to it is not believed. */
  acked(seq: number): void;
  /** Looks whether acks are overdue. */
  tick(): void;
}

const bufferedLimitBytes = 1024 * 1024;

/** How far the journal was read for the present socket. */
interface Progress {
  readonly options: SenderOptions;
  socket: GatewaySocket | null;
  cursor: Cursor;
  /** Frames under way: last number and size. */
  flying: { readonly seq: number; readonly bytes: number }[];
  flyingBytes: number;
  /** Since when no ack has moved, while something is under way. */
  quietSince: number;
  pumping: boolean;
}

export function createSender(options: SenderOptions): Sender {
  const { journal } = options;
  const progress: Progress = {
    options,
    socket: null,
    cursor: cursorAt(0),
    flying: [],
    flyingBytes: 0,
    quietSince: 0,
    pumping: false,
  };
  journal.onDurable(() => pump(progress));
  return {
    attach(to, ackedSeq) {
      progress.socket = to;
      journal.ack(ackedSeq);
      progress.cursor = cursorAt(journal.state.ackedSeq);
      restart(progress);
      pump(progress);
    },
    detach() {
      progress.socket = null;
    },
    acked: (seq) => settle(progress, seq),
    tick() {
      const isLate = options.now() - progress.quietSince > options.resendMs;
      if (progress.socket !== null && progress.flying.length > 0 && isLate) restart(progress);
      pump(progress);
    },
  };
}

function restart(progress: Progress): void {
  progress.cursor = rewound(progress.cursor);
  progress.flying = [];
  progress.flyingBytes = 0;
  progress.quietSince = progress.options.now();
}

function settle(progress: Progress, seq: number): void {
  const { journal, now } = progress.options;
  const before = progress.cursor.ackedSeq;
  progress.cursor = afterAck(progress.cursor, seq);
  const { ackedSeq } = progress.cursor;
  if (ackedSeq === before) return;
  journal.ack(ackedSeq);
  progress.quietSince = now();
  while (progress.flying[0] !== undefined && progress.flying[0].seq <= ackedSeq) {
    progress.flyingBytes -= progress.flying.shift()?.bytes ?? 0;
  }
  pump(progress);
}

function pump(progress: Progress): void {
  if (progress.pumping || progress.socket === null) return;
  progress.pumping = true;
  void run(progress)
    .catch(progress.options.onTrouble)
    .finally(() => {
      progress.pumping = false;
      const { socket, flying } = progress;
      // Room may have come between the last look and here.
      if (socket !== null && flying.length === 0 && hasRoom(progress, socket)) {
        setImmediate(() => pump(progress));
      }
    });
}

async function run(progress: Progress): Promise<void> {
  for (;;) {
    const to = progress.socket;
    if (to === null || !hasRoom(progress, to) || !(await sendNext(progress, to))) return;
  }
}

function hasRoom({ options, cursor, flying, flyingBytes }: Progress, to: GatewaySocket): boolean {
  return (
    cursor.sentSeq < options.journal.durableSeq &&
    (flyingBytes < options.windowBytes || flying.length === 0) &&
    to.bufferedBytes < bufferedLimitBytes
  );
}

const nextSeq = ({ cursor }: Progress): number => cursor.sentSeq + 1;

/** False: nothing was sent and nothing more will go at this moment. */
async function sendNext(progress: Progress, to: GatewaySocket): Promise<boolean> {
  const { journal, frameBytes, now } = progress.options;
  const fromSeq = nextSeq(progress);
  const bodies = await journal.read(fromSeq, frameBytes);
  // While the disk was read, the socket may have gone or an ack may have overtaken this read.
  if (progress.socket !== to) return false;
  if (fromSeq !== nextSeq(progress)) return true;
  if (bodies.length === 0) return false;
  const text = reportsFrame(journal.state.journalId, fromSeq, bodies);
  if (!to.send(text, () => pump(progress))) return false;
  if (progress.flying.length === 0) progress.quietSince = now();
  progress.cursor = afterSend(progress.cursor, fromSeq + bodies.length - 1);
  progress.flying.push({ seq: progress.cursor.sentSeq, bytes: text.length });
  progress.flyingBytes += text.length;
  return true;
}

/** The frame, put together from texts that are JSON already. */
function reportsFrame(journalId: string, fromSeq: number, bodies: readonly string[]): string {
  const head = `{"type":"reports","journalId":${JSON.stringify(journalId)},"fromSeq":${fromSeq}`;
  return `${head},"reports":[${bodies.join(',')}]}`;
}
