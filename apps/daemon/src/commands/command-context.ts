/** What every command is carried out with, and when it counts as applied. */
import type { DaemonContext } from '../context.ts';
import type { Attempts } from '../session/attempts.ts';
import type { Operations } from './operation.ts';

export interface CommandContext {
  readonly context: DaemonContext;
  readonly attempts: Attempts;
  readonly operations: Operations;
}

/** `later`: the journal sees by itself when it is applied (an intent, a result). */
export type Applied = 'now' | 'later';
