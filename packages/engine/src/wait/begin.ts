/**
 * Waits of callers: a row that outlives the request, the process and the machine. The caller is answered
 * from the rows; a hint only wakes it.
 */
import { MakimaError } from '@makima/domain/error';
import { afterWait } from '@makima/domain/supervisor';
import { waitSatisfied } from '@makima/domain/wait';
import { waitEnds } from '@makima/domain/task';
import { lockEnds } from '@makima/db/repo/locks';
import { tasksByIds } from '@makima/db/repo/tasks';
import {
  endWait,
  findWait,
  insertWait,
  openWaitsOf,
  sameWait,
  seeWait,
  statusesOf,
} from '@makima/db/repo/waits';
import { reading } from '@makima/db/tx';
import type { TaskRow, WaitRow } from '@makima/db/rows';
import { act, type Acted, type Act, type Call, type Engine } from '../context.ts';
import { notFound, refuseDaemon, requireLead } from '../authorize.ts';
import type { Principal } from '../principal.ts';
import { savePoint } from '../save-point.ts';
import { waitOf } from './settle.ts';

export interface WaitInput {
  readonly taskIds: readonly string[];
  readonly mode: 'all' | 'any';
  /** The wait's own time; without one it stays until it is satisfied. */
  readonly expiresInSeconds?: number | undefined;
}

/** A supervisor's wait for open tasks is also its save point. Answers a row that may be satisfied already. */
export function beginWait(
  engine: Engine,
  call: Call,
  input: WaitInput,
): Promise<Acted<{ waitId: string }>> {
  return act(engine, call, async (a) => {
    const waiter = await waiterOf(a);
    await lockEnds(a.tx, { taskIds: input.taskIds });
    const tasks = await tasksByIds(a.tx, { ownerId: a.ownerId, ids: input.taskIds });
    for (const id of input.taskIds)
      if (!tasks.some((task) => task.id === id && visible(a.caller, task)))
        throw notFound('task', id);
    if (waiter !== undefined && input.taskIds.includes(waiter.id)) {
      throw new MakimaError('VALIDATION_FAILED', 'a task cannot wait for itself');
    }
    const contractId = tasks[0]?.contractId ?? null;
    const { wait, isNew } = await waitFor(a, waiter, input, contractId);
    const statuses = await statusesOf(a.tx, { ownerId: a.ownerId, ids: wait.targetIds });
    const verdict = waitSatisfied(
      waitOf(wait),
      { tasks: statuses, questions: new Map(), events: [] },
      a.now,
    );
    if (verdict.kind === 'satisfied') await endWait(a.tx, { id: wait.id, state: 'satisfied' });
    else if (waiter !== undefined) await waits(a, waiter, wait, { isNew });
    return { waitId: wait.id };
  });
}

/** A supervisor waits as its task; a person's wait is nobody's. */
async function waiterOf(a: Act): Promise<TaskRow | undefined> {
  return requireLead(a, null, 'wait for tasks');
}

/** An agent that asks for the same again, because its request was over or lost, goes on with the same wait. */
async function waitFor(
  a: Act,
  waiter: TaskRow | undefined,
  { taskIds, mode, expiresInSeconds }: WaitInput,
  contractId: string | null,
): Promise<{ wait: WaitRow; isNew: boolean }> {
  const kind = mode === 'all' ? 'tasks_all' : 'tasks_any';
  const targetIds = [...new Set(taskIds)];
  if (waiter !== undefined) {
    const about = { taskId: waiter.id, kind, targetIds } as const;
    const same = expiresInSeconds === undefined ? await sameWait(a.tx, about) : undefined;
    if (same !== undefined) return { wait: same, isNew: false };
    await checkRoom(a, waiter);
  }
  const until =
    expiresInSeconds === undefined ? null : new Date(a.now.getTime() + expiresInSeconds * 1_000);
  const taskId = waiter?.id ?? null;
  const row = { ownerId: a.ownerId, contractId, taskId, kind, targetIds, until } as const;
  return { wait: await insertWait(a.tx, row), isNew: true };
}

async function checkRoom(a: Act, waiter: TaskRow): Promise<void> {
  const { length: actual } = await openWaitsOf(a.tx, { taskId: waiter.id });
  const max = a.engine.limits.openWaitsPerTaskMax;
  if (actual < max) return;
  throw new MakimaError('LIMIT_EXCEEDED', `${actual} waits of this agent are open already`, {
    retryable: true,
    details: { limit: 'openWaitsPerTaskMax', max, actual },
    fix: 'go on with one of them: give its waitId',
  });
}

async function waits(
  a: Act,
  waiter: TaskRow,
  { id: waitId, targetIds: targets }: WaitRow,
  { isNew }: { readonly isNew: boolean },
): Promise<void> {
  if (isNew) {
    a.emit('wait.started', {
      contractId: waiter.contractId,
      taskId: waiter.id,
      data: { waitId, targets },
    });
  }
  await savePoint(a, waiter, afterWait(targets.length));
}

function visible(caller: Principal, task: TaskRow): boolean {
  return (
    caller.kind !== 'agent' || (caller.contractId !== null && task.contractId === caller.contractId)
  );
}

export interface WaitState {
  readonly waitId: string;
  readonly satisfied: boolean;
  /** Its own time is over, and it was not satisfied. */
  readonly timedOut: boolean;
  readonly until: string | null;
  readonly tasks: readonly {
    readonly taskId: string;
    readonly name: string;
    readonly status: TaskRow['status'];
    readonly completed: boolean;
    readonly outputSummary: string | null;
    readonly errorMessage: string | null;
  }[];
}

/** How a wait stands. One that has ended is marked as seen by its waiter. */
export async function readWait(
  engine: Engine,
  caller: Principal,
  input: { waitId: string },
): Promise<WaitState> {
  refuseDaemon(caller);
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await findWait(sql, { ownerId: caller.ownerId, id: input.waitId });
      if (row === undefined || (caller.kind === 'agent' && row.taskId !== caller.taskId))
        throw notFound('wait', input.waitId);
      const tasks = await tasksByIds(sql, { ownerId: caller.ownerId, ids: row.targetIds });
      const satisfied = row.state === 'satisfied';
      const timedOut = row.state === 'timed_out';
      const attempt = caller.kind === 'agent' ? caller.attempt : undefined;
      if ((satisfied || timedOut) && row.seenAt === null)
        await seeWait(sql, { id: row.id, attempt });
      return {
        waitId: row.id,
        satisfied,
        timedOut,
        until: row.until?.toISOString() ?? null,
        tasks: tasks.map((task) => ({
          taskId: task.id,
          name: task.name,
          status: task.status,
          completed: waitEnds(task.status),
          outputSummary: task.outputSummary,
          errorMessage: task.errorMessage,
        })),
      };
    })(),
  );
}

/** A person's wait ends with its request; an agent's stays until it is satisfied. */
export async function abandonWait(
  engine: Engine,
  caller: Principal,
  input: { waitId: string },
): Promise<void> {
  if (caller.kind === 'agent') return;
  await act(engine, { caller }, async (a) => {
    const row = await findWait(a.tx, { ownerId: a.ownerId, id: input.waitId });
    if (row === undefined || row.taskId !== null) throw notFound('wait', input.waitId);
    await endWait(a.tx, { id: row.id, state: 'cancelled' });
  });
}
