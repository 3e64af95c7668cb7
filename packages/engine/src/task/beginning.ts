/**
 * Where the directory of the next attempt begins, should it have to be made: read once, for the command that tells
 * the machine and for the word that tells the agent.
 *
 * Law: its work stands where it ran last. A machine that it was only given to, and where it never ran, has none.
 */
import type { TaskStart } from '@makima/contracts/socket/commands';
import { lastRun } from '@makima/db/repo/attempts';
import { checkpointAt, lastCheckpoint } from '@makima/db/repo/checkpoints';
import { findTask } from '@makima/db/repo/tasks';
import type { Tx } from '@makima/db/client';
import type { AttemptRow, CheckpointRow, ContractRow, TaskRow } from '@makima/db/rows';
import { startOf } from '../contract/head.ts';

export interface Beginning {
  /** What the command says of it. */
  readonly told: Pick<
    TaskStart,
    'startSha' | 'patchCheckpointId' | 'patchBaseSha' | 'continueFromTaskId'
  > &
    Partial<Pick<TaskStart, 'checkpointSha' | 'contractHead' | 'branchStartSha' | 'workAttempt'>>;
  /** It ran on another machine last. */
  readonly moved: boolean;
  readonly lastRun: AttemptRow | undefined;
  /** The task that it continues from, whether that ever ran or not. */
  readonly source: TaskRow | undefined;
  /** The one that it goes back to. */
  readonly checkpoint: CheckpointRow | undefined;
}

export async function beginningOf(
  tx: Tx,
  of: {
    readonly task: TaskRow;
    readonly contract: ContractRow | undefined;
    readonly daemonId: string;
  },
): Promise<Beginning> {
  const { task, contract, daemonId } = of;
  const [ran, source, last, chosen, branch] = await Promise.all([
    task.currentAttempt === 0 ? undefined : lastRun(tx, { taskId: task.id }),
    sourceOf(tx, task),
    lastCheckpoint(tx, { taskId: task.id }),
    chosenCheckpoint(tx, task),
    contract === undefined ? {} : startOf(tx, contract, task),
  ]);
  const checkpoint = chosen ?? last;
  const moved = ran !== undefined && ran.daemonId !== daemonId;
  const rebuilt = moved || chosen !== undefined;
  return {
    moved,
    lastRun: ran,
    source,
    checkpoint,
    told: {
      startSha: chosen?.baseSha ?? task.checkpointSha ?? (moved ? (last?.baseSha ?? null) : null),
      ...(chosen === undefined ? {} : { checkpointSha: chosen.commitSha }),
      ...branch,
      patchCheckpointId: rebuilt && travels(checkpoint) ? (checkpoint?.id ?? null) : null,
      patchBaseSha: rebuilt ? (checkpoint?.baseSha ?? null) : null,
      ...(moved ? { workAttempt: ran.attempt } : {}),
      // One that never ran has left nothing to go on from.
      continueFromTaskId: source === undefined || source.currentAttempt === 0 ? null : source.id,
    },
  };
}

export function travels(checkpoint: CheckpointRow | undefined): boolean {
  return checkpoint !== undefined && checkpoint.patchParts > 0;
}

async function sourceOf(tx: Tx, task: TaskRow): Promise<TaskRow | undefined> {
  const { ownerId, continueFromTaskId: id } = task;
  return id === null ? undefined : findTask(tx, { ownerId, id });
}

/** Of a supervisor that a person takes back, until it has begun from there. */
async function chosenCheckpoint(tx: Tx, task: TaskRow): Promise<CheckpointRow | undefined> {
  if (!task.isSupervisor || task.checkpointSha === null) return undefined;
  return checkpointAt(tx, { taskId: task.id, commitSha: task.checkpointSha });
}
