/**
 * A long git operation as it stands, its late result included; and the checkpoints that some of them made.
 *
 * Law: a result counts as seen when the one who ordered it has read it. Who else looks takes nothing from them.
 */
import type { z } from 'zod';
import type { zCheckpoint, zOperation } from '@makima/contracts/entity/task';
import { checkpointsOf } from '@makima/db/repo/checkpoints';
import { findOperation, markOperationSeen } from '@makima/db/repo/operations';
import { reading } from '@makima/db/tx';
import type { OperationRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { notFound, readableTask, refuseDaemon } from '../authorize.ts';

export type Operation = z.infer<typeof zOperation>;

export async function readOperation(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<Operation> {
  refuseDaemon(caller);
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await findOperation(sql, { ownerId: caller.ownerId, id: input.id });
      if (row === undefined || !mayRead(caller, row)) throw notFound('operation', input.id);
      if (row.state !== 'pending' && row.seenAt === null && row.requestedBy === caller.name)
        await markOperationSeen(sql, { ownerId: caller.ownerId, id: row.id });
      return presentOperation(row);
    })(),
  );
}

function mayRead(caller: Principal, row: OperationRow): boolean {
  if (caller.kind !== 'agent') return true;
  return caller.isSupervisor ? row.contractId === caller.contractId : row.taskId === caller.taskId;
}

export function presentOperation(row: OperationRow): Operation {
  return {
    id: row.id,
    kind: row.kind,
    taskId: row.taskId,
    contractId: row.contractId,
    state: row.state as Operation['state'],
    result: row.result,
    error: row.error,
    requestedAt: row.requestedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

export async function listCheckpoints(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<{ items: z.infer<typeof zCheckpoint>[] }> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const task = await readableTask(sql, caller, input.id);
      const rows = await checkpointsOf(sql, { ownerId: caller.ownerId, taskId: task.id });
      return {
        items: rows.map((row) => ({
          id: row.id,
          taskId: row.taskId,
          checkpointNumber: row.checkpointNumber,
          commitSha: row.commitSha,
          branchName: row.branchName,
          message: row.message,
          filesChanged: row.filesChanged,
          linesAdded: row.linesAdded,
          linesRemoved: row.linesRemoved,
          createdAt: row.createdAt.toISOString(),
        })),
      };
    })(),
  );
}
