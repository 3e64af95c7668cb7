/**
 * Commands on their way from the socket to the journal: in the order of their numbers, each once.
 *
 * Law: numbers of a daemon's commands have no gaps, so a gap means that a frame is still under way: what came
 * too early waits for it a moment. A gap that stays is taken as it is, rather than stop for ever.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Journal } from '../journal/journal.ts';

export interface NumberedCommand {
  readonly seq: number;
  readonly command: Command;
}

export interface IntakeOptions {
  readonly journal: Journal;
  /** How long a gap is waited for. */
  readonly gapMs: number;
  /** Everything up to this number is on the disk. */
  readonly ack: (commandSeq: number) => void;
  /** A fresh command, on the disk; in order. */
  readonly apply: (seq: number, command: Command) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Intake {
  offer(commands: readonly NumberedCommand[]): void;
  /** Takes no more. */
  close(): void;
}

export function createIntake(options: IntakeOptions): Intake {
  const { journal } = options;
  const early = new Map<number, Command>();
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();
  let closed = false;

  /** What may be taken now: up to the first gap, or everything. */
  const ready = (gaps: 'wait' | 'skip'): NumberedCommand[] => {
    const found: NumberedCommand[] = [];
    let next = journal.state.lastCommandSeq + 1;
    for (const seq of [...early.keys()].toSorted((a, b) => a - b)) {
      const command = early.get(seq);
      if (command === undefined || (seq > next && gaps === 'wait')) break;
      early.delete(seq);
      if (seq < next) continue;
      found.push({ seq, command });
      next = seq + 1;
    }
    return found;
  };
  const take = async (gaps: 'wait' | 'skip'): Promise<void> => {
    if (closed) return;
    const taken = ready(gaps);
    await Promise.all(taken.map(({ seq, command }) => journal.take(seq, command)));
    if (journal.state.lastCommandSeq > 0) options.ack(journal.state.lastCommandSeq);
    for (const { seq, command } of taken) options.apply(seq, command);
    clearTimeout(timer);
    if (early.size > 0) timer = setTimeout(() => enqueue('skip'), options.gapMs);
  };
  const enqueue = (gaps: 'wait' | 'skip'): void => {
    tail = tail.then(() => take(gaps)).catch(options.onTrouble);
  };

  return {
    offer(commands) {
      if (closed) return;
      for (const { seq, command } of commands) early.set(seq, command);
      enqueue('wait');
    },
    close() {
      closed = true;
      clearTimeout(timer);
      early.clear();
    },
  };
}
