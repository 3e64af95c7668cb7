/** Tasks, their attempts, waits and messages. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  snakeCase,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { AttemptState, TaskSession, TaskStatus } from '@makima/domain/task';
import type { PermissionMode } from '@makima/domain/permission-mode';
import type { LimitPolicy } from '@makima/domain/usage-limit';
import { bornAt, budget, id, moment, ownerId } from './columns.ts';
import { contracts } from './contracts.ts';
import { directiveKey } from './directives.ts';
import { daemons, owners } from './identity.ts';

/** What was used of a model, by kind. */
const usedTokens = () => ({
  inputTokens: bigint({ mode: 'number' }).notNull().default(0),
  outputTokens: bigint({ mode: 'number' }).notNull().default(0),
  cacheReadTokens: bigint({ mode: 'number' }).notNull().default(0),
  cacheWriteTokens: bigint({ mode: 'number' }).notNull().default(0),
});

export const tasks = snakeCase.table(
  'tasks',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    parentTaskId: uuid(),
    depth: integer().notNull().default(0),
    isSupervisor: boolean().notNull().default(false),
    name: text().notNull(),
    description: text(),
    plan: text().notNull(),
    status: text().$type<TaskStatus>().notNull().default('pending'),
    session: text().$type<TaskSession>().notNull().default('none'),
    /** The agent's conversation, the same over all attempts unless it was lost. */
    sessionId: uuid()
      .notNull()
      .default(sql`gen_random_uuid()`),
    /** When that conversation began on an agent; null while it has yet to begin. */
    sessionStartedAt: moment(),
    resumeAt: moment(),
    /** What follows when its agent meets a usage limit. */
    onLimit: text().$type<LimitPolicy>().notNull().default('resume'),
    priority: integer().notNull().default(0),
    agent: text().notNull(),
    model: text(),
    repositoryUrl: text(),
    localPath: text(),
    baseBranch: text(),
    /** The branch of the source that was asked for to start from; null: the contract's own. */
    startBranch: text(),
    targetBranch: text(),
    targetRepoPath: text(),
    mergeMode: text(),
    completionAction: text(),
    /** A person ordered that action: it needs no further leave. */
    completionAllowed: boolean().notNull().default(false),
    continueFromTaskId: uuid(),
    branchedFromTaskId: uuid(),
    forkedFromTaskId: uuid(),
    forkedAtCheckpointId: uuid(),
    checkpointSha: text(),
    copyFiles: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    needs: uuid()
      .array()
      .notNull()
      .default(sql`'{}'`),
    ownWorktree: boolean().notNull().default(true),
    supervisorWorktreeTaskId: uuid(),
    autonomousLoop: boolean().notNull().default(false),
    permissionMode: text().$type<PermissionMode>().notNull().default('bypass'),
    directiveId: uuid(),
    directiveStepId: uuid(),
    /** W3C `traceparent` of what made it pending, where somebody traces: of that trace is what places it. */
    trace: text(),
    /** The fence: number of the newest attempt, 0 before the first. Of a supervisor it is the epoch. */
    currentAttempt: integer().notNull().default(0),
    retryCount: integer().notNull().default(0),
    failedDaemonIds: uuid()
      .array()
      .notNull()
      .default(sql`'{}'`),
    version: integer().notNull().default(1),
    /** Where the last attempt ran: its directory and session live there. */
    homeDaemonId: uuid(),
    /** The only machine that may take its next attempt: a person chose it. */
    targetDaemonId: uuid(),
    branch: text(),
    baseSha: text(),
    commitSha: text(),
    worktreePath: text(),
    ...budget(),
    /** What its attempts have used, added up. */
    ...usedTokens(),
    costMicros: bigint({ mode: 'number' }).notNull().default(0),
    costEstimated: boolean().notNull().default(false),
    /** Those of its tokens that have no price. */
    unpricedTokens: bigint({ mode: 'number' }).notNull().default(0),
    outputSummary: text(),
    errorMessage: text(),
    createdAt: bornAt(),
    startedAt: moment(),
    finishedAt: moment(),
    pendingSince: bornAt(),
  },
  (t) => [
    unique('tasks_owner_id').on(t.ownerId, t.id),
    foreignKey({
      columns: [t.ownerId, t.contractId],
      foreignColumns: [contracts.ownerId, contracts.id],
    }).onDelete('cascade'),
    directiveKey(t),
    foreignKey({ columns: [t.ownerId, t.parentTaskId], foreignColumns: [t.ownerId, t.id] }),
    check(
      'tasks_status',
      sql`${t.status} in ('pending', 'starting', 'running', 'done', 'failed', 'interrupted', 'paused', 'merged', 'cancelled')`,
    ),
    check('tasks_permission_mode', sql`${t.permissionMode} in ('bypass', 'ask')`),
    check('tasks_on_limit', sql`${t.onLimit} in ('resume', 'ask')`),
    check('tasks_session', sql`${t.session} in ('live', 'parked', 'limited', 'none')`),
    uniqueIndex('tasks_one_supervisor')
      .on(t.contractId)
      .where(sql`${t.isSupervisor}`),
    index('tasks_contract').on(t.contractId, t.id),
    index('tasks_directive')
      .on(t.directiveId, t.id)
      .where(sql`${t.directiveId} is not null`),
    // In the order of their turn, so that a page of many is read and not sorted.
    index('tasks_pending')
      .on(
        t.ownerId,
        t.isSupervisor.desc().nullsFirst(),
        t.priority.desc().nullsFirst(),
        t.pendingSince,
        t.id,
      )
      .where(sql`${t.status} = 'pending'`),
    index('tasks_limited')
      .on(t.resumeAt)
      .where(sql`${t.session} = 'limited'`),
    index('tasks_begun')
      .on(t.ownerId, t.status, t.isSupervisor)
      .where(sql`${t.status} in ('starting', 'running', 'interrupted', 'paused')`),
    index('tasks_unfinished')
      .on(t.status, t.pendingSince)
      .where(sql`${t.status} in ('starting', 'running', 'interrupted', 'paused')`),
  ],
);

/**
 * Accounts at their usage limit: nobody who would use one is started before `until`. An account is what the
 * daemon calls it, else the daemon's own.
 */
export const agentLimits = snakeCase.table(
  'agent_limits',
  {
    ownerId: ownerId(),
    agent: text().notNull(),
    account: text().notNull(),
    until: moment().notNull(),
    /** Which of the account's limits, as the house of the model calls it. */
    window: text(),
    toldAt: bornAt(),
  },
  (t) => [
    primaryKey({ columns: [t.ownerId, t.agent, t.account] }),
    foreignKey({ columns: [t.ownerId], foreignColumns: [owners.id] }),
  ],
);

/** One try of a task. At most one is live; a slot without a lease cannot exist. */
export const taskAttempts = snakeCase.table(
  'task_attempts',
  {
    taskId: uuid().notNull(),
    attempt: integer().notNull(),
    ownerId: ownerId(),
    daemonId: uuid().notNull(),
    sessionEpoch: integer().notNull(),
    state: text().$type<AttemptState>().notNull().default('assigned'),
    leaseExpiresAt: moment(),
    pid: integer(),
    reason: text(),
    summary: text(),
    resumedFrom: text(),
    /** Came after the attempt had been given up: kept as evidence. */
    superseded: boolean().notNull().default(false),
    outputSeq: integer().notNull().default(0),
    /** The conversation that it continued: agents count their cost over the whole of it. */
    sessionId: uuid(),
    model: text(),
    ...usedTokens(),
    /** What its agent said that the conversation has cost, in millionths of a dollar. */
    conversationCostMicros: bigint({ mode: 'number' }),
    /** The least of that above nothing: below what it cost before, its agent counts anew. */
    conversationLowMicros: bigint({ mode: 'number' }),
    /** Its own part of that; null where no price is known. */
    costMicros: bigint({ mode: 'number' }),
    /** Derived from its tokens, not told by its agent. */
    costEstimated: boolean().notNull().default(false),
    assignedAt: bornAt(),
    startedAt: moment(),
    /** When its daemon was asked to end it because it only waits; what came since then counts as come. */
    parkAskedAt: moment(),
    endedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.taskId, t.attempt] }),
    foreignKey({
      columns: [t.ownerId, t.taskId],
      foreignColumns: [tasks.ownerId, tasks.id],
    }).onDelete('cascade'),
    foreignKey({ columns: [t.ownerId, t.daemonId], foreignColumns: [daemons.ownerId, daemons.id] }),
    check(
      'task_attempts_state',
      sql`${t.state} in ('assigned', 'running', 'done', 'failed', 'lost', 'cancelled', 'fenced')`,
    ),
    check(
      'task_attempts_lease',
      sql`${t.state} not in ('assigned', 'running') or ${t.leaseExpiresAt} is not null`,
    ),
    uniqueIndex('task_attempts_one_live')
      .on(t.taskId)
      .where(sql`${t.state} in ('assigned', 'running')`),
    index('task_attempts_daemon')
      .on(t.daemonId)
      .where(sql`${t.state} in ('assigned', 'running')`),
    index('task_attempts_lease_due')
      .on(t.leaseExpiresAt)
      .where(sql`${t.state} in ('assigned', 'running')`),
  ],
);

/** Who waits for what, until when. Outlives requests, processes and machines. */
export const waits = snakeCase.table(
  'waits',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    /** The waiting task; null for a person. */
    taskId: uuid(),
    kind: text().notNull(),
    targetIds: uuid().array().notNull(),
    state: text().notNull().default('open'),
    until: moment(),
    createdAt: bornAt(),
    endedAt: moment(),
    /** The waiter was told. */
    seenAt: moment(),
  },
  (t) => [
    check('waits_kind', sql`${t.kind} in ('tasks_any', 'tasks_all', 'question', 'time', 'event')`),
    check('waits_state', sql`${t.state} in ('open', 'satisfied', 'timed_out', 'cancelled')`),
    index('waits_open')
      .using('gin', t.targetIds)
      .where(sql`${t.state} = 'open'`),
    index('waits_task')
      .on(t.taskId)
      .where(sql`${t.state} = 'open'`),
    index('waits_of_task').on(t.taskId),
  ],
);

/** Mail to an agent. The id is the agent-side idempotency key; undelivered mail goes with the next attempt. */
export const agentMessages = snakeCase.table(
  'agent_messages',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    taskId: uuid().notNull(),
    text: text().notNull(),
    mode: text().notNull(),
    source: text().notNull(),
    sourceId: uuid(),
    /** The agent's own question that it answers, and the answer alone. */
    requestId: text(),
    answer: text(),
    state: text().notNull().default('pending'),
    /** The attempt that it was last sent to. */
    sentAttempt: integer(),
    createdAt: bornAt(),
    deliveredAt: moment(),
  },
  (t) => [
    foreignKey({
      columns: [t.ownerId, t.taskId],
      foreignColumns: [tasks.ownerId, tasks.id],
    }).onDelete('cascade'),
    check('agent_messages_mode', sql`${t.mode} in ('queue', 'steer', 'interrupt')`),
    check('agent_messages_state', sql`${t.state} in ('pending', 'queued', 'delivered', 'refused')`),
    index('agent_messages_undelivered')
      .on(t.taskId, t.id)
      .where(sql`${t.state} in ('pending', 'queued')`),
    index('agent_messages_source').on(t.taskId, t.source, t.sourceId),
  ],
);
