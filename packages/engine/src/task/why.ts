/**
 * "Why is it not moving?" of a task (M8.10): its row, attempt, daemon, needs, waits and questions, and what
 * the placement rule says of it now. The rule is run as the assigner runs it, but nothing is claimed.
 */
import type { Why } from '@makima/contracts/entity/why';
import type { ContractStatus } from '@makima/domain/contract';
import type { UnplacedReason } from '@makima/domain/placement';
import { isAttemptLive, startVerdict, type Need } from '@makima/domain/task';
import { whyTask as judge, type WhyTaskFacts } from '@makima/domain/why-task';
import { newestAttempts } from '@makima/db/repo/attempts';
import { databaseTime } from '@makima/db/repo/clock';
import { findContract } from '@makima/db/repo/contracts';
import { daemonsOf } from '@makima/db/repo/daemons';
import { openQuestionsOfTasks } from '@makima/db/repo/questions';
import { supervisorOf } from '@makima/db/repo/supervisors';
import { tasksByIds } from '@makima/db/repo/tasks';
import { openWaitsOfTasks } from '@makima/db/repo/waits';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type {
  AttemptRow,
  DaemonRow,
  QuestionRow,
  SupervisorRow,
  TaskRow,
  WaitRow,
} from '@makima/db/rows';
import { readableTask } from '../authorize.ts';
import { budgetFacts, openQuestion } from '../budget/why.ts';
import type { Engine } from '../context.ts';
import { presentWhy } from '../present/why.ts';
import type { Principal } from '../principal.ts';
import { placementBatch } from './assign.ts';
import { lookForPlaces } from './placement-facts.ts';

export async function whyTask(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<Why> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const task = await readableTask(sql, caller, input.id);
      const now = await databaseTime(sql);
      const facts = (await whyTaskFacts(sql, [task], now)).get(task.id);
      if (facts === undefined) throw new Error(`task ${task.id} has no facts`);
      return presentWhy(judge(facts, now));
    })(),
  );
}

/** Facts of tasks of one contract, by task id. */
export async function whyTaskFacts(
  db: Queryable,
  tasks: readonly TaskRow[],
  now: Date,
): Promise<Map<string, WhyTaskFacts>> {
  const first = tasks[0];
  if (first === undefined) return new Map();
  const rows = await relatedRows(db, first, tasks, now);
  return new Map(tasks.map((task) => [task.id, factsOf(task, rows)]));
}

interface Related {
  readonly contractStatus: ContractStatus;
  readonly attempts: readonly AttemptRow[];
  readonly daemons: readonly DaemonRow[];
  readonly questions: readonly QuestionRow[];
  readonly waits: readonly WaitRow[];
  readonly supervisor: SupervisorRow | undefined;
  /** Tasks that are needed or waited for. */
  readonly others: readonly TaskRow[];
  readonly unplaced: ReadonlyMap<string, UnplacedReason>;
  readonly budget: (task: TaskRow) => WhyTaskFacts['budget'];
}

async function relatedRows(
  db: Queryable,
  first: TaskRow,
  tasks: readonly TaskRow[],
  now: Date,
): Promise<Related> {
  const { ownerId, contractId } = first;
  const ids = tasks.map((task) => task.id);
  const pending = tasks.some((task) => task.status === 'pending');
  const [contract, attempts, daemons, questions, waits, supervisor, look] = await Promise.all([
    contractId === null ? undefined : findContract(db, { ownerId, id: contractId }),
    newestAttempts(db, { ownerId, taskIds: ids }),
    daemonsOf(db, { ownerId }),
    openQuestionsOfTasks(db, { ownerId, taskIds: ids }),
    openWaitsOfTasks(db, { ownerId, taskIds: ids }),
    contractId === null ? undefined : supervisorOf(db, { ownerId, contractId }),
    pending ? lookForPlaces(db, { ownerId, now, limit: placementBatch, lock: 'none' }) : undefined,
  ]);
  const sources = tasks.flatMap((t) =>
    t.continueFromTaskId === null ? [] : [t.continueFromTaskId],
  );
  const named = [
    ...tasks.flatMap((t) => t.needs),
    ...sources,
    ...waits.flatMap((w) => w.targetIds),
  ];
  const unplaced = look?.placement.unplaced ?? [];
  return {
    // A task without a contract is held up by none.
    contractStatus: contract?.status ?? 'active',
    attempts,
    daemons,
    questions,
    waits,
    supervisor,
    others: named.length === 0 ? [] : await tasksByIds(db, { ownerId, ids: [...new Set(named)] }),
    unplaced: new Map(unplaced.map(({ taskId, reason }) => [taskId, reason])),
    budget: await budgetFacts(db, contract, tasks),
  };
}

function factsOf(task: TaskRow, rows: Related): WhyTaskFacts {
  const attempt = rows.attempts.find((row) => row.taskId === task.id);
  const daemon = rows.daemons.find((row) => row.id === (attempt?.daemonId ?? task.homeDaemonId));
  const source = rows.others.find((other) => other.id === task.continueFromTaskId);
  const needs = rows.others.filter((other) => task.needs.includes(other.id));
  const wait = rows.waits.find((row) => row.taskId === task.id);
  return {
    id: task.id,
    name: task.name,
    contractId: task.contractId ?? '',
    contractStatus: rows.contractStatus,
    status: task.status,
    statusSince: sinceOf(task, attempt),
    session: task.session,
    errorMessage: task.errorMessage,
    needs: startVerdict(needs.map(needOf), source === undefined ? null : needOf(source)),
    unplaced: rows.unplaced.get(task.id) ?? null,
    resumeAt: task.resumeAt,
    lease: leaseOf(attempt),
    daemon:
      daemon === undefined
        ? null
        : {
            name: daemon.name,
            connected: daemon.status === 'connected',
            lastSeenAt: daemon.lastSeenAt,
          },
    openQuestions: rows.questions
      .filter((q) => q.taskId === task.id && !q.nonBlocking && q.confirmationId === null)
      .map(openQuestion),
    wait: wait === undefined ? null : { on: wordsOf(wait, rows.others), since: wait.createdAt },
    idle: inState(task, rows, 'idle'),
    blocked: inState(task, rows, 'blocked'),
    budget: rows.budget(task),
  };
}

const needOf = ({ id, name, status }: TaskRow): Need => ({ taskId: id, name, status });

/** Only a supervisor stays when its turn is over; another agent's attempt ends with it. */
function inState(
  task: TaskRow,
  { supervisor }: Related,
  state: 'idle' | 'blocked',
): WhyTaskFacts['idle'] {
  if (supervisor?.taskId !== task.id || supervisor.state !== state) return null;
  return { words: supervisor.currentActivity ?? '', since: supervisor.updatedAt };
}

/** The moment nearest to when the task came to its status. */
function sinceOf(task: TaskRow, attempt: AttemptRow | undefined): Date {
  switch (task.status) {
    case 'pending':
    case 'interrupted':
      return task.pendingSince;
    case 'starting':
      return attempt?.assignedAt ?? task.pendingSince;
    case 'running':
      return attempt?.startedAt ?? task.startedAt ?? task.createdAt;
    case 'paused':
      return attempt?.endedAt ?? attempt?.assignedAt ?? task.createdAt;
    case 'done':
    case 'failed':
    case 'merged':
    case 'cancelled':
      return task.finishedAt ?? task.createdAt;
  }
}

function leaseOf(attempt: AttemptRow | undefined): WhyTaskFacts['lease'] {
  if (attempt === undefined || !isAttemptLive(attempt.state)) return null;
  return attempt.leaseExpiresAt === null ? null : { expiresAt: attempt.leaseExpiresAt };
}

const namedMost = 5;

/** What is still open of a wait: "task build, task test". */
function wordsOf(wait: WaitRow, others: readonly TaskRow[]): string {
  const targets = others.filter((other) => wait.targetIds.includes(other.id));
  if (targets.length === 0) return wait.kind === 'time' ? 'a time to come' : 'an event';
  const names = targets.slice(0, namedMost).map((task) => `task ${task.name} (${task.status})`);
  const more = targets.length > namedMost ? ` and ${targets.length - namedMost} more` : '';
  return `${wait.kind === 'tasks_any' ? 'any of ' : ''}${names.join(', ')}${more}`;
}
