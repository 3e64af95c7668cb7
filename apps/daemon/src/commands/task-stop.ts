/**
 * `task.stop`: ends an attempt's agent; its work is kept on a ref.
 *
 * Law: the reason decides what the end is called, never whether work is kept. An attempt that never came to
 * life here is told to be over, so that nobody waits for it. To be parked is a wish: an agent that does more
 * than wait goes on, and nothing is told. Who may finish its turn is stopped after it.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { attemptKey } from '../journal/state.ts';
import type { DaemonContext } from '../context.ts';
import { onlyWaits } from '../session/doing.ts';
import { finishTurn } from '../session/finish-turn.ts';
import { ownLine } from '../session/lines.ts';
import type { Ending, LiveAttempt } from '../session/live.ts';
import type { CommandContext } from './command-context.ts';
import { reportEnd } from './report-end.ts';

const outcomeOf = {
  cancelled: 'stopped',
  paused: 'stopped',
  completed: 'stopped',
  fenced: 'fenced',
  parked: 'parked',
} as const;

export function taskStop(
  { context, attempts }: CommandContext,
  command: CommandOf<'task.stop'>,
): void {
  const ending: Ending = {
    outcome: outcomeOf[command.reason],
    summary: command.reason,
    error: null,
    graceMs: command.reason === 'fenced' ? 0 : command.graceMs,
  };
  const live = attempts.find(command);
  if (live !== null) {
    if (command.reason === 'parked') {
      if (!mayPark(context, live)) return;
      void live.output.add(ownLine('system', 'Parked: it waits without a process from here.'));
    }
    if (command.finishTurnMs === undefined) void attempts.end(command, ending);
    else finishTurn(live, { ending, withinMs: command.finishTurnMs });
    return;
  }
  const { taskId, attempt } = command;
  const { state } = context.journal;
  const known = state.attempts.get(attemptKey(taskId, attempt));
  const isOver = known === undefined && attempt <= (state.highest.get(taskId) ?? 0);
  // What a former process of this daemon left is reported by the start of this one.
  if (isOver || (known !== undefined && known.phase !== 'taken')) return;
  void reportEnd(context, command, { outcome: ending.outcome, summary: 'it was not running here' });
}

function mayPark(context: DaemonContext, live: LiveAttempt): boolean {
  const { agent, taskId, attempt } = live.start;
  const driver = context.drivers.get(agent)?.driver;
  const may = driver !== undefined && onlyWaits(live, driver.caps);
  if (!may) context.log.info({ taskId, attempt }, 'not parked: it does more than wait');
  return may;
}
