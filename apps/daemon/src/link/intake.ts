/**
 * Commands on their way from the socket to the journal: in the order of their numbers, each once.
 *
 * Law: a frame says after which number it goes on. One that goes on after a number that is not here waits for
 * the frame between, or for the server, which sends again what is not acked.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { ServerFrameOf } from '@makima/contracts/socket/frames';
import { takeRuns, type Run } from '@makima/domain/sequence';
import { racepoint } from '@makima/runtime/racepoint';
import type { Journal } from '../journal/journal.ts';

export interface IntakeOptions {
  readonly journal: Journal;
  /** Everything up to this number is on the disk. */
  readonly ack: (commandSeq: number) => void;
  /** A fresh command, on the disk; in order. */
  readonly apply: (seq: number, command: Command) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Intake {
  offer(frame: Pick<ServerFrameOf<'commands'>, 'after' | 'commands'>): void;
  /** Takes no more. */
  close(): void;
}

export function createIntake(options: IntakeOptions): Intake {
  const { journal } = options;
  let waiting: readonly Run<Command>[] = [];
  let tail: Promise<void> = Promise.resolve();
  let closed = false;

  const take = async (): Promise<void> => {
    if (closed) return;
    const { fresh, early } = takeRuns(journal.state.lastCommandSeq, waiting);
    waiting = early;
    await Promise.all(fresh.map(({ seq, item }) => journal.take(seq, item)));
    if (fresh.length > 0) await racepoint('daemon.command_taken');
    if (journal.state.lastCommandSeq > 0) options.ack(journal.state.lastCommandSeq);
    for (const { seq, item } of fresh) options.apply(seq, item);
  };

  return {
    offer({ after, commands }) {
      if (closed) return;
      const items = commands.map(({ seq, command }) => ({ seq, item: command }));
      waiting = [...waiting, { after, items }];
      tail = tail.then(take).catch(options.onTrouble);
    },
    close() {
      closed = true;
      waiting = [];
    },
  };
}
