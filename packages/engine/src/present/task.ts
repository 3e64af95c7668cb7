/** Tasks and attempts as the wire shows them. */
import type { Task, TaskDetail } from '@makima/contracts/entity/task';
import { spentOf } from '@makima/domain/usage';
import type { AttemptRow, TaskRow } from '@makima/db/rows';
import { presentBudget, presentSpent } from './usage.ts';

export function presentTask(row: TaskRow): Task {
  return {
    id: row.id,
    contractId: row.contractId,
    directiveId: row.directiveId,
    parentTaskId: row.parentTaskId,
    depth: row.depth,
    name: row.name,
    description: row.description,
    plan: row.plan,
    status: row.status,
    session: row.session,
    resumeAt: row.session === 'limited' ? (row.resumeAt?.toISOString() ?? null) : null,
    onLimit: row.onLimit,
    isSupervisor: row.isSupervisor,
    agent: row.agent,
    model: row.model,
    priority: row.priority,
    attempt: row.currentAttempt,
    retryCount: row.retryCount,
    version: row.version,
    daemonId: row.homeDaemonId,
    repositoryUrl: row.repositoryUrl ?? row.localPath,
    baseBranch: row.baseBranch,
    targetBranch: row.targetBranch,
    branch: row.branch,
    checkpointSha: row.checkpointSha,
    targetRepoPath: row.targetRepoPath,
    completionAction: row.completionAction,
    permissionMode: row.permissionMode,
    needs: row.needs,
    outputSummary: row.outputSummary,
    errorMessage: row.errorMessage,
    commitSha: row.commitSha,
    worktreePath: row.worktreePath,
    usage: presentSpent(row),
    budget: presentBudget(row),
    pendingSince: row.status === 'pending' ? row.pendingSince.toISOString() : null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

export function presentTaskDetail(row: TaskRow, attempts: readonly AttemptRow[]): TaskDetail {
  return { ...presentTask(row), attempts: attempts.map(presentAttempt) };
}

function presentAttempt(row: AttemptRow): TaskDetail['attempts'][number] {
  return {
    attempt: row.attempt,
    state: row.state,
    daemonId: row.daemonId,
    pid: row.pid,
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    leaseExpiresAt: row.leaseExpiresAt?.toISOString() ?? null,
    reason: row.reason,
    usage: spentOf([row]),
  };
}
