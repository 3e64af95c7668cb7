/**
 * Where the directory of the next attempt begins, should it have to be made: read once, for the command that tells
 * the machine and for the word that tells the agent.
 */
import type { TaskStart } from '@makima/contracts/socket/commands';
import { checkpointAt, lastCheckpoint } from '@makima/db/repo/checkpoints';
import type { Tx } from '@makima/db/client';
import type { CheckpointRow, ContractRow, TaskRow } from '@makima/db/rows';
import { startOf } from '../contract/head.ts';

export interface Beginning {
  /** What the command says of it. */
  readonly told: Pick<TaskStart, 'startSha' | 'patchCheckpointId' | 'patchBaseSha'> &
    Partial<Pick<TaskStart, 'checkpointSha' | 'contractHead' | 'branchStartSha'>>;
  /** It ran on another machine before. */
  readonly moved: boolean;
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
  const [last, chosen, branch] = await Promise.all([
    lastCheckpoint(tx, { taskId: task.id }),
    chosenCheckpoint(tx, task),
    contract === undefined ? {} : startOf(tx, contract, task),
  ]);
  const checkpoint = chosen ?? last;
  const moved = task.homeDaemonId !== null && task.homeDaemonId !== daemonId;
  const rebuilt = moved || chosen !== undefined;
  return {
    moved,
    checkpoint,
    told: {
      startSha: chosen?.baseSha ?? task.checkpointSha ?? (moved ? (last?.baseSha ?? null) : null),
      ...(chosen === undefined ? {} : { checkpointSha: chosen.commitSha }),
      ...branch,
      patchCheckpointId: rebuilt && travels(checkpoint) ? (checkpoint?.id ?? null) : null,
      patchBaseSha: rebuilt ? (checkpoint?.baseSha ?? null) : null,
    },
  };
}

export function travels(checkpoint: CheckpointRow | undefined): boolean {
  return checkpoint !== undefined && checkpoint.patchParts > 0;
}

/** Of a supervisor that a person takes back, until it has begun from there. */
async function chosenCheckpoint(tx: Tx, task: TaskRow): Promise<CheckpointRow | undefined> {
  if (!task.isSupervisor || task.checkpointSha === null) return undefined;
  return checkpointAt(tx, { taskId: task.id, commitSha: task.checkpointSha });
}
