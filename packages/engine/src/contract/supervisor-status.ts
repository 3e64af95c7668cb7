/** State of a contract's supervisor, in the names of seed 004. */
import { MakimaError } from '@makima/domain/error';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { supervisorOf } from '@makima/db/repo/supervisors';
import { findTask } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import { reading } from '@makima/db/tx';
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { supervisorStatus as endpoint } from '@makima/contracts/http/supervisor';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { readableContract } from '../authorize.ts';

export type SupervisorStatus = ResponseOf<typeof endpoint>;

export async function supervisorStatus(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<SupervisorStatus> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const about = { ownerId: caller.ownerId, contractId: contract.id };
      const row = await supervisorOf(sql, about);
      const task =
        row === undefined
          ? undefined
          : await findTask(sql, { ownerId: caller.ownerId, id: row.taskId });
      if (row === undefined || task === undefined) {
        throw new MakimaError('SUPERVISOR_NOT_FOUND', 'this contract has no supervisor yet', {
          fix: `start it: POST /api/v1/contracts/${contract.id}/start`,
        });
      }
      const [waits, questions] = await Promise.all([
        openWaitsOf(sql, { taskId: task.id }),
        openQuestionsOf(sql, about),
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
      };
    })(),
  );
}
