/**
 * `task.start`: the life of an attempt begins.
 *
 * Law: begun at most once per (task, attempt), by the journal; a start that is older than what is known here
 * is told to be over.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { attemptKey } from '../journal/state.ts';
import type { Applied, CommandContext } from './command-context.ts';
import { reportEnd } from './report-end.ts';

export function taskStart(
  { context, attempts }: CommandContext,
  command: CommandOf<'task.start'>,
): Applied {
  const { taskId, attempt } = command;
  const { state } = context.journal;
  if (
    attempt < (state.highest.get(taskId) ?? 0) &&
    !state.attempts.has(attemptKey(taskId, attempt))
  ) {
    void reportEnd(context, command, {
      outcome: 'fenced',
      summary: 'a newer attempt is known here',
    });
    return 'now';
  }
  return attempts.begin(command) ? 'later' : 'now';
}
