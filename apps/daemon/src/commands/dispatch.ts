/**
 * Which file carries out which command.
 *
 * Law: returns at once. What takes time goes on beside: the next command (a stop, perhaps) must not wait
 * for it. A command counts as applied when its life or its result is in the journal.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { DaemonContext } from '../context.ts';
import type { Attempts } from '../session/attempts.ts';
import { branchDeliver } from './branch-deliver.ts';
import { branchMerge } from './branch-merge.ts';
import { evidenceCheck } from './evidence-check.ts';
import type { Operations } from './operation.ts';
import { taskCheckpoint } from './task-checkpoint.ts';
import { taskDiff } from './task-diff.ts';
import { taskMessage } from './task-message.ts';
import { taskStart } from './task-start.ts';
import { taskStop } from './task-stop.ts';
import { workdirClean } from './workdir-clean.ts';

export interface CommandContext {
  readonly context: DaemonContext;
  readonly attempts: Attempts;
  readonly operations: Operations;
}

export function dispatch(to: CommandContext, seq: number, command: Command): void {
  carryOut(to, command);
  // An operation is applied with its result, which the journal sees by itself.
  if (!('operationId' in command)) {
    void to.context.journal
      .applied(seq)
      .catch((error: unknown) => to.context.log.error({ err: error, seq }, 'not noted as applied'));
  }
}

function carryOut(to: CommandContext, command: Command): void {
  switch (command.kind) {
    case 'task.start':
      return taskStart(to, command);
    case 'task.stop':
      return taskStop(to, command);
    case 'task.message':
      return taskMessage(to, command);
    case 'task.checkpoint':
      return to.operations.run(command, taskCheckpoint);
    case 'task.diff':
      return to.operations.run(command, taskDiff);
    case 'branch.merge':
      return to.operations.run(command, branchMerge);
    case 'branch.deliver':
      return to.operations.run(command, branchDeliver);
    case 'evidence.check':
      return to.operations.run(command, evidenceCheck);
    case 'workdir.clean':
      return to.operations.run(command, workdirClean);
  }
}
