/**
 * What the API asks a machine directly: a file of a task's directory. Nothing is stored; it is asked again
 * when it fails.
 *
 * Law: the caller's right to the task is settled before its machine is asked.
 */
import { askDaemon } from '@makima/bus/ask';
import type { Bus } from '@makima/bus/queues';
import type { PubSub } from '@makima/bus/pubsub';
import { MakimaError } from '@makima/domain/error';
import { onNoMachine } from '@makima/engine/operation/order';
import { getTask } from '@makima/engine/task/get';
import type { Principal } from '@makima/engine/principal';
import type { Engine } from '@makima/engine/context';

export interface FileRead {
  readonly taskId: string;
  readonly filePath: string;
  readonly content: string;
  readonly exists: boolean;
}

interface ReadArgs {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly pubsub: PubSub;
  readonly caller: Principal;
  readonly signal: AbortSignal;
}

/**
 * @throws NOT_FOUND, NO_DAEMON, DAEMON_ERROR, INVALID_TRANSITION for a task that is over and never ran,
 * VALIDATION_FAILED for a path that the machine refuses.
 */
export async function readTaskFile(
  args: ReadArgs,
  file: { id: string; filePath: string },
): Promise<FileRead> {
  const task = await getTask(args.engine, args.caller, { id: file.id });
  if (task.daemonId === null) throw onNoMachine(task);
  const ask = { kind: 'read-file' as const, taskId: task.id, filePath: file.filePath };
  const answer = await askDaemon(args, ask, { daemonId: task.daemonId, signal: args.signal });
  if (answer.refused !== null) {
    throw new MakimaError('VALIDATION_FAILED', `that file is not shown: ${answer.refused}`, {
      details: { errors: [{ pointer: '/filePath', detail: answer.refused }] },
    });
  }
  return {
    taskId: task.id,
    filePath: file.filePath,
    content: answer.content,
    exists: answer.exists,
  };
}
