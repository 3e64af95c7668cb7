/**
 * `task.message`: a message for a living agent.
 *
 * Law: an attempt that is not alive here says nothing: the server holds the message for the next one.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { CommandContext } from './command-context.ts';

export function taskMessage(
  { attempts }: CommandContext,
  command: CommandOf<'task.message'>,
): void {
  attempts.find(command)?.mailbox.post(command.message);
}
