/**
 * Sends the journal's reports: in order, in frames of bounded size, with a bounded amount under way.
 *
 * Law: the journal decides what exists, the server's ack what is done; this file only remembers how far it
 * read. Starting over from the last ack is always right, a report that arrives twice is applied once.
 */
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

export function createSender(options: SenderOptions): Sender {
  const { journal } = options;
  let socket: GatewaySocket | null = null;
  let sentSeq = 0;
  let flying: { readonly seq: number; readonly bytes: number }[] = [];
  let flyingBytes = 0;
  let quietSince = 0;
  let pumping = false;

  const restart = (): void => {
    sentSeq = journal.state.ackedSeq;
    flying = [];
    flyingBytes = 0;
    quietSince = options.now();
  };
  const roomFor = (to: GatewaySocket): boolean =>
    sentSeq < journal.durableSeq &&
    (flyingBytes < options.windowBytes || flying.length === 0) &&
    to.bufferedBytes < bufferedLimitBytes;

  const sendNext = async (to: GatewaySocket): Promise<boolean> => {
    const fromSeq = Math.max(sentSeq, journal.state.ackedSeq) + 1;
    const bodies = await journal.read(fromSeq, options.frameBytes);
    // While the disk was read, the socket may have gone or an ack may have overtaken this read.
    if (socket !== to) return false;
    if (fromSeq !== Math.max(sentSeq, journal.state.ackedSeq) + 1) return true;
    if (bodies.length === 0) return false;
    const text = reportsFrame(journal.state.journalId, fromSeq, bodies);
    if (!to.send(text, pump)) return false;
    if (flying.length === 0) quietSince = options.now();
    sentSeq = fromSeq + bodies.length - 1;
    flying.push({ seq: sentSeq, bytes: text.length });
    flyingBytes += text.length;
    return true;
  };
  const run = async (): Promise<void> => {
    for (;;) {
      const to = socket;
      if (to === null || !roomFor(to) || !(await sendNext(to))) return;
    }
  };
  const pump = (): void => {
    if (pumping || socket === null) return;
    pumping = true;
    void run()
      .catch(options.onTrouble)
      .finally(() => {
        pumping = false;
        // Room may have come between the last look and here.
        if (socket !== null && roomFor(socket) && flying.length === 0) setImmediate(pump);
      });
  };
  journal.onDurable(pump);

  return {
    attach(to, ackedSeq) {
      socket = to;
      journal.ack(ackedSeq);
      restart();
      pump();
    },
    detach() {
      socket = null;
    },
    acked(seq) {
      const before = journal.state.ackedSeq;
      journal.ack(Math.min(seq, sentSeq));
      if (journal.state.ackedSeq === before) return;
      quietSince = options.now();
      while (flying[0] !== undefined && flying[0].seq <= journal.state.ackedSeq) {
        flyingBytes -= flying.shift()?.bytes ?? 0;
      }
      pump();
    },
    tick() {
      if (socket !== null && flying.length > 0 && options.now() - quietSince > options.resendMs) {
        restart();
      }
      pump();
    },
  };
}

/** The frame, put together from texts that are JSON already. */
function reportsFrame(journalId: string, fromSeq: number, bodies: readonly string[]): string {
  const head = `{"type":"reports","journalId":${JSON.stringify(journalId)},"fromSeq":${fromSeq}`;
  return `${head},"reports":[${bodies.join(',')}]}`;
}
