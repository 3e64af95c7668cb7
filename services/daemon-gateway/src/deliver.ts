/**
 * Delivery of commands to one daemon: pulled from the store after the last one sent, sent in order, in
 * frames of bounded size and no faster than the daemon reads. A wake says when, a scan says it again, an ack that does not come repeats.
 *
 * Law: the store decides what there is to tell; this file only remembers how far it came on this socket.
 * The daemon takes each number once, so sending again is always right.
 */
import type { Command } from '@makima/contracts/socket/commands';
import { afterAck, afterSend, cursorAt, rewound } from '@makima/domain/sequence';
import { ackCommands, pullCommands } from '@makima/engine/daemon/pull';
import { racepoint } from '@makima/runtime/racepoint';
import { startSpan } from '@makima/runtime/tracing';
import { latest } from './latest.ts';
import type { Line } from './line.ts';
import { isAway, patiently } from './patience.ts';

export interface Delivery {
  /** Something may wait: look. Cheap, at any time. */
  poke(): void;
  /** The daemon has everything up to this number. */
  acked(seq: number): void;
  /** Looks whether an ack is overdue, and sends again from there. */
  tick(nowMs: number): void;
  readonly sentSeq: number;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Numbered {
  readonly seq: number;
  readonly command: Command;
}

const pullLimit = 32;
/** A frame is closed when it is this large; one command alone may be larger. */
const frameBytes = 512 * 1024;
const resendMs = 30_000;

export function createDelivery(line: Line, afterSeq: number): Delivery {
  let cursor = cursorAt(afterSeq);
  let movedAt = performance.now();

  const acks = latest(async (upToSeq: number) => {
    const about = { daemonId: line.daemon.daemonId, upToSeq };
    try {
      await patiently(line.patience, () => ackCommands(line.engine, about));
    } catch (error) {
      line.fail(error);
    }
  });
  /** False: nothing more goes on this socket, or everything goes again from elsewhere. */
  const sendFrame = async (after: number, commands: Numbered[]): Promise<boolean> => {
    if (line.backlogged) await line.written();
    if (cursor.sentSeq !== after || !line.send({ type: 'commands', after, commands })) return false;
    line.metrics.commands.inc(commands.length);
    cursor = afterSend(cursor, commands.at(-1)?.seq ?? after);
    movedAt = performance.now();
    return true;
  };
  const pump = async (): Promise<void> => {
    while (!line.patience.signal.aborted) {
      // What the store does not name between this number and those that it gives was withdrawn.
      let after = cursor.sentSeq;
      const about = { daemonId: line.daemon.daemonId, afterSeq: after, limit: pullLimit };
      const commands = await pullCommands(line.engine, about);
      if (line.patience.signal.aborted || commands.length === 0) return;
      await racepoint('gateway.before_send');
      for (const frame of framesOf(commands)) {
        if (!(await sendFrame(after, frame))) break;
        after = frame.at(-1)?.seq ?? after;
        noteTraced(frame);
      }
      await racepoint('gateway.after_send');
      const isAll = commands.length < pullLimit || after === about.afterSeq;
      if (isAll && cursor.sentSeq === after) return;
    }
  };
  const pumping = latest(async () => {
    try {
      await pump();
    } catch (error) {
      // The scan looks again as soon as the store answers.
      if (!isAway(error)) line.log.error({ err: error }, 'commands could not be delivered');
    }
  });

  return {
    poke: () => pumping.push(undefined),
    acked(seq) {
      // What it took from an older connection is sent and acked once more here.
      const before = cursor.ackedSeq;
      cursor = afterAck(cursor, seq);
      if (cursor.ackedSeq === before) return;
      movedAt = performance.now();
      acks.push(cursor.ackedSeq);
    },
    tick(nowMs) {
      if (cursor.sentSeq === cursor.ackedSeq || nowMs - movedAt < resendMs) return;
      cursor = rewound(cursor);
      movedAt = nowMs;
      pumping.push(undefined);
    },
    get sentSeq() {
      return cursor.sentSeq;
    },
    idle: async () => void (await Promise.all([acks.idle(), pumping.idle()])),
  };
}

/** Cut at the size of a frame, in order. */
export function framesOf(commands: readonly Numbered[]): Numbered[][] {
  const frames: Numbered[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of commands) {
    const size = Buffer.byteLength(JSON.stringify(one));
    if (bytes + size > frameBytes) {
      frames.push([]);
      bytes = 0;
    }
    frames.at(-1)?.push(one);
    bytes += size;
  }
  return frames;
}

/** A command on its way is a moment of its trace. */
function noteTraced(frame: readonly Numbered[]): void {
  for (const { command } of frame)
    if ('trace' in command && command.trace !== undefined)
      startSpan({ name: `command ${command.kind}`, parent: command.trace }).end();
}
