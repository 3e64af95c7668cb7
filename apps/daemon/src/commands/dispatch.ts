/**
 * Which file carries out which command.
 *
 * Law: returns at once. What takes time goes on beside: the next command (a stop, perhaps) must not wait
 * for it. A command counts as applied when its life or its result is in the journal.
 */
import type { Command } from '@makima/contracts/socket/commands';
import { branchCreate } from './branch-create.ts';
import { branchDeliver } from './branch-deliver.ts';
import { branchHandOver } from './branch-hand-over.ts';
import { branchMerge, mergeLine } from './branch-merge.ts';
import { evidenceCheck } from './evidence-check.ts';
import type { Applied, CommandContext } from './command-context.ts';
import { prOpen } from './pr-open.ts';
import { taskCheckpoint } from './task-checkpoint.ts';
import { taskDiff } from './task-diff.ts';
import { taskMessage } from './task-message.ts';
import { taskPack } from './task-pack.ts';
import { taskStart } from './task-start.ts';
import { taskStop } from './task-stop.ts';
import { workdirClean } from './workdir-clean.ts';

export function dispatch(to: CommandContext, seq: number, command: Command): void {
  const applied = carryOut(to, command);
  if (applied === 'later') return;
  void to.context.journal
    .applied(seq)
    .catch((error: unknown) => to.context.log.error({ err: error, seq }, 'not noted as applied'));
}

function carryOut(to: CommandContext, command: Command): Applied {
  switch (command.kind) {
    case 'task.start':
      return taskStart(to, command);
    case 'task.stop':
      taskStop(to, command);
      return 'now';
    case 'task.message':
      taskMessage(to, command);
      return 'now';
    case 'task.checkpoint':
      to.operations.run(command, taskCheckpoint);
      return 'later';
    case 'task.diff':
      to.operations.run(command, taskDiff);
      return 'later';
    case 'task.pack':
      to.operations.run(command, taskPack);
      return 'later';
    case 'branch.merge':
      to.operations.run(command, branchMerge, mergeLine(command));
      return 'later';
    case 'branch.create':
      to.operations.run(command, branchCreate);
      return 'later';
    case 'pr.open':
      to.operations.run(command, prOpen);
      return 'later';
    case 'branch.hand_over':
      to.operations.run(command, branchHandOver);
      return 'later';
    case 'branch.deliver':
      to.operations.run(command, branchDeliver);
      return 'later';
    case 'evidence.check':
      to.operations.run(command, evidenceCheck);
      return 'later';
    case 'workdir.clean':
      to.operations.run(command, workdirClean);
      return 'later';
  }
}
