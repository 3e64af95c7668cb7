/**
 * Build the snapshot that a save point asked for (job `save-state`): position, facts, sha256, schema
 * version, and verify it as a restorer would. Restoration is right even if this never ran.
 */
import {
  insertSnapshot,
  lastCheckpoint,
  pruneSnapshots,
  snapshotsOf,
} from '@makima/db/repo/checkpoints';
import { findContract } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { findSupervisor } from '@makima/db/repo/supervisors';
import { conversationShape } from '@makima/db/repo/talk';
import { findTask, tasksOfContract } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import type { ContractRow, SupervisorRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { checkSnapshot, snapshotHash, snapshotSchemaVersion, type SavedState } from './snapshot.ts';

/** `nothing`: the task has moved on, or the last snapshot says the same. */
export function saveState(
  engine: Engine,
  caller: System,
  input: { taskId: string; attempt: number },
): Promise<Acted<'saved' | 'nothing'>> {
  return act(engine, { caller }, async (a) => {
    const task = await findTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    if (task?.contractId == null || task.currentAttempt !== input.attempt) return 'nothing';
    const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
    if (contract === undefined) return 'nothing';
    return buildSnapshot(a, contract, task);
  });
}

/** So many positions one can go back to. */
const snapshotsKept = 100;

/** As the rows are now. */
export async function buildSnapshot(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
): Promise<'saved' | 'nothing'> {
  const supervisor = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (supervisor === undefined) return 'nothing';
  const state = await savedState(a, contract, task, supervisor);
  const conversation = await conversationShape(a.tx, { taskId: task.id });
  const sha256 = snapshotHash(conversation.lastSeq, state);
  const [last] = await snapshotsOf(a.tx, { taskId: task.id, limit: 1 });
  // One that was spoilt since says nothing, whatever its checksum.
  if (last?.sha256 === sha256 && checkSnapshot(last).ok) return 'nothing';
  const row = await insertSnapshot(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: task.id,
    epoch: task.currentAttempt,
    snapshotType: 'auto',
    messageSeq: conversation.lastSeq,
    messageCount: conversation.count,
    schemaVersion: snapshotSchemaVersion,
    sha256,
    state: { ...state },
    metadata: {},
  });
  const checked = checkSnapshot(row);
  if (!checked.ok) throw new Error(`snapshot ${row.id} does not verify: ${checked.why}`);
  await pruneSnapshots(a.tx, { taskId: task.id, keep: snapshotsKept });
  a.emit('supervisor.saved', {
    contractId: contract.id,
    taskId: task.id,
    data: { snapshotId: row.id, messageSeq: row.messageSeq, epoch: row.epoch },
  });
  return 'saved';
}

async function savedState(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  supervisor: SupervisorRow,
): Promise<SavedState> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [tasks, waits, questions, checkpoint] = await Promise.all([
    tasksOfContract(a.tx, about),
    openWaitsOf(a.tx, { taskId: task.id }),
    openQuestionsOf(a.tx, about),
    lastCheckpoint(a.tx, { taskId: task.id }),
  ]);
  return {
    state: supervisor.state,
    currentActivity: supervisor.currentActivity,
    progress: supervisor.progress,
    phase: contract.phase,
    spawnedTaskIds: tasks.filter((t) => !t.isSupervisor).map((t) => t.id),
    awaitedTaskIds: [...new Set(waits.flatMap((w) => w.targetIds))],
    pendingQuestionIds: questions.filter((q) => q.taskId === task.id).map((q) => q.id),
    lastCheckpointId: checkpoint?.id ?? null,
    restorationCount: supervisor.restorationCount,
  };
}
