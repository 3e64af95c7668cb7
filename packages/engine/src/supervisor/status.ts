/**
 * State of a contract's supervisor, in the names of seed 004: every fact from the rows that it lives in.
 *
 * Law: one that should work and was silent for too long is answered with SUPERVISOR_DEAD, the facts beside it.
 */
import { MakimaError } from '@makima/domain/error';
import { pulseOf } from '@makima/domain/heartbeat';
import { lastCheckpoint } from '@makima/db/repo/checkpoints';
import { databaseTime } from '@makima/db/repo/clock';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { supervisorOf } from '@makima/db/repo/supervisors';
import { conversationShape } from '@makima/db/repo/talk';
import { findTask, tasksOfContract } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, SupervisorRow, TaskRow } from '@makima/db/rows';
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { supervisorStatus as endpoint } from '@makima/contracts/http/supervisor';
import type { Engine, Settings } from '../context.ts';
import type { Principal } from '../principal.ts';
import { readableContract } from '../authorize.ts';

export type SupervisorStatus = ResponseOf<typeof endpoint>;

/** @throws SUPERVISOR_DEAD */
export function supervisorStatus(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<SupervisorStatus> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const { row, task } = await supervisorFacts(sql, contract);
      const status = await statusOf(sql, { contract, row, task });
      refuseDead(engine.settings, { contract, row, task }, await databaseTime(sql), status);
      return status;
    })(),
  );
}

export interface Supervised {
  readonly contract: ContractRow;
  readonly row: SupervisorRow;
  readonly task: TaskRow;
}

/** @throws SUPERVISOR_NOT_FOUND */
export async function supervisorFacts(db: Queryable, contract: ContractRow): Promise<Supervised> {
  const { ownerId, id: contractId } = contract;
  const row = await supervisorOf(db, { ownerId, contractId });
  const task = row === undefined ? undefined : await findTask(db, { ownerId, id: row.taskId });
  if (row !== undefined && task !== undefined) return { contract, row, task };
  throw new MakimaError('SUPERVISOR_NOT_FOUND', 'this contract has no supervisor yet', {
    fix: `start it: makima contracts start ${contract.slug}`,
  });
}

/** @throws SUPERVISOR_DEAD for one that should work and is silent. */
export function refuseDead(
  settings: Settings,
  { contract, row, task }: Supervised,
  now: Date,
  details: Readonly<Record<string, unknown>>,
): void {
  if (!settings.features.supervisorHeartbeat) return;
  const pulse = pulseOf(
    {
      contractStatus: contract.status,
      taskStatus: task.status,
      session: task.session,
      state: row.state,
      lastHeartbeatAt: row.lastHeartbeatAt,
      timeoutMs: settings.heartbeatTimeoutMs,
    },
    now,
  );
  if (pulse.kind !== 'dead') return;
  const seconds = Math.floor(pulse.silentMs / 1_000);
  throw new MakimaError('SUPERVISOR_DEAD', `nothing was heard of the supervisor for ${seconds} s`, {
    details,
    retryable: true,
    fix: `see what its return waits for: makima why ${contract.slug}`,
  });
}

async function statusOf(
  db: Queryable,
  { contract, row, task }: Supervised,
): Promise<SupervisorStatus> {
  const about = { ownerId: contract.ownerId, contractId: contract.id };
  const [waits, questions, tasks, conversation, checkpoint] = await Promise.all([
    openWaitsOf(db, { taskId: task.id }),
    openQuestionsOf(db, about),
    tasksOfContract(db, about),
    conversationShape(db, { taskId: task.id }),
    lastCheckpoint(db, { taskId: task.id }),
  ]);
  return {
    task_id: task.id,
    state: row.state,
    phase: contract.phase,
    current_activity: row.currentActivity,
    progress: row.progress,
    last_heartbeat: row.lastHeartbeatAt?.toISOString() ?? null,
    pending_task_ids: [...new Set(waits.flatMap((w) => w.targetIds))],
    epoch: row.epoch,
    session: task.session,
    restoration_count: row.restorationCount,
    last_restored_at: row.lastRestoredAt?.toISOString() ?? null,
    restoration_source: row.restorationSource,
    pending_question_ids: questions.filter((q) => q.taskId === task.id).map((q) => q.id),
    error_message: row.errorMessage,
    spawned_task_ids: tasks.filter((one) => !one.isSupervisor).map((one) => one.id),
    message_count: conversation.count,
    last_checkpoint_id: checkpoint?.id ?? null,
  };
}
