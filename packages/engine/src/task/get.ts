/** Tasks as people and supervisors read them: one, a contract's list, and the tree. */
import type { Task, TaskDetail, TaskNode } from '@makima/contracts/entity/task';
import { attemptsOf } from '@makima/db/repo/attempts';
import { tasksOfContract } from '@makima/db/repo/tasks';
import { reading } from '@makima/db/tx';
import type { TaskRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { readableContract, readableTask } from '../authorize.ts';
import { presentTask, presentTaskDetail } from '../present/task.ts';

export async function getTask(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<TaskDetail> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await readableTask(sql, caller, input.id);
      return presentTaskDetail(
        row,
        await attemptsOf(sql, { ownerId: caller.ownerId, taskId: row.id }),
      );
    })(),
  );
}

export async function listContractTasks(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<{ items: Task[] }> {
  return { items: (await rowsOf(engine, caller, input.id)).map(presentTask) };
}

export interface TaskTree {
  readonly contractId: string;
  readonly supervisorTaskId: string | null;
  readonly totalCount: number;
  readonly roots: TaskNode[];
}

/** A real tree: children below their parent, oldest first; the supervisor is the root. */
export async function contractTree(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<TaskTree> {
  const rows = await rowsOf(engine, caller, input.id);
  const nodes = new Map(
    rows.map((row): [string, TaskNode] => [row.id, { ...presentTask(row), children: [] }]),
  );
  const roots: TaskNode[] = [];
  for (const row of rows) {
    const node = nodes.get(row.id);
    if (node === undefined) continue;
    const parent = row.parentTaskId === null ? undefined : nodes.get(row.parentTaskId);
    (parent?.children ?? roots).push(node);
  }
  return {
    contractId: input.id,
    supervisorTaskId: rows.find((row) => row.isSupervisor)?.id ?? null,
    totalCount: rows.length,
    roots,
  };
}

/** A task's own agent sees nothing of its siblings. */
async function rowsOf(engine: Engine, caller: Principal, contractId: string): Promise<TaskRow[]> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, contractId);
      const rows = await tasksOfContract(sql, { ownerId: caller.ownerId, contractId: contract.id });
      return caller.kind === 'agent' && !caller.isSupervisor
        ? rows.filter((row) => row.id === caller.taskId)
        : rows;
    })(),
  );
}
