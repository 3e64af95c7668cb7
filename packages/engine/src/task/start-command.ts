/**
 * The command that starts an attempt: everything a daemon needs to know, and nothing secret. What is big
 * (transcript, patch) is only named; the daemon asks for it when it is ready.
 */
import { contractBranch } from '@makima/domain/branch';
import type { TaskStart } from '@makima/contracts/socket/commands';
import { slugify } from '@makima/domain/contract';
import { strictestMode } from '@makima/domain/permission-mode';
import { findDirective } from '@makima/db/repo/directives';
import { isTrusted, repositoriesOf } from '@makima/db/repo/contracts';
import { lockMailbox } from '@makima/db/repo/locks';
import { markMessagesSent, undeliveredMessages } from '@makima/db/repo/messages';
import { hasTranscript } from '@makima/db/repo/talk';
import type { Tx } from '@makima/db/client';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { directiveAppend } from '../directive/brief.ts';
import { startMessages, wireMessage } from '../message/send.ts';
import { systemAppend } from '../supervisor/brief.ts';
import type { Beginning } from './beginning.ts';

export interface StartArgs {
  readonly task: TaskRow;
  readonly contract: ContractRow | undefined;
  readonly attempt: number;
  readonly beginning: Beginning;
  readonly loopRoundsMax: number;
}

export async function startCommand(tx: Tx, args: StartArgs): Promise<TaskStart> {
  const { task, contract, attempt, beginning, loopRoundsMax } = args;
  await lockMailbox(tx, { taskId: task.id });
  const [waiting, transcript] = await Promise.all([
    undeliveredMessages(tx, { taskId: task.id }),
    hasTranscript(tx, { taskId: task.id }),
  ]);
  const messages = startMessages(waiting);
  await markMessagesSent(tx, { ids: messages.map((m) => m.id), attempt });
  const branch = branchName(task, contract, attempt);
  const directive =
    task.contractId !== null || task.directiveId === null
      ? undefined
      : await findDirective(tx, { ownerId: task.ownerId, id: task.directiveId });
  return {
    kind: 'task.start',
    taskId: task.id,
    attempt,
    contractId: task.contractId,
    contractSlug: contract?.slug ?? null,
    isSupervisor: task.isSupervisor,
    name: task.name,
    agent: task.agent,
    model: task.model,
    plan: task.plan,
    systemAppend:
      directive === undefined
        ? systemAppend({ ...task, branch }, { contract, source: beginning.source, loopRoundsMax })
        : directiveAppend(directive),
    sessionId: task.sessionId,
    resumeSession: task.sessionStartedAt !== null,
    hasTranscript: transcript,
    repository:
      task.repositoryUrl === null && task.localPath === null
        ? null
        : { url: task.repositoryUrl, path: task.localPath, baseBranch: await baseOf(tx, task) },
    ...((await isVouchedFor(tx, task)) ? { trusted: true as const } : {}),
    branch,
    contractBranch: contract === undefined ? null : contractBranch(contract.slug),
    ...beginning.told,
    supervisorWorktreeTaskId: task.supervisorWorktreeTaskId,
    ...(task.startBranch === null ? {} : { startBranch: task.startBranch }),
    copyFiles: task.copyFiles,
    localOnly: contract?.localOnly ?? true,
    autoMergeLocal: contract?.autoMergeLocal ?? false,
    autonomousLoop: task.autonomousLoop,
    ...(task.autonomousLoop ? { loopRoundsMax } : {}),
    permissionMode: strictestMode(task.permissionMode, contract?.permissionMode ?? 'bypass'),
    messages: messages.map(wireMessage),
  };
}

/** A directive's repository is nobody's to vouch for: its agents only look. */
async function isVouchedFor(tx: Tx, task: TaskRow): Promise<boolean> {
  const { ownerId, contractId } = task;
  return contractId !== null && isTrusted(tx, { ownerId, contractId, place: task });
}

/**
 * Where the contract's branch begins when it does not exist yet: the repository's base, whatever branch this
 * task asked to start from.
 */
async function baseOf(tx: Tx, task: TaskRow): Promise<string | null> {
  if (task.startBranch === null || task.contractId === null) return task.baseBranch;
  const { ownerId, contractId } = task;
  const all = await repositoriesOf(tx, { ownerId, contractId });
  const own = all.find(
    (r) => r.repositoryUrl === task.repositoryUrl && r.localPath === task.localPath,
  );
  return own === undefined ? task.baseBranch : own.baseBranch;
}

/** An attempt's branch in the task's own repository; a supervisor works on the contract's own. */
export function branchName(
  task: Pick<TaskRow, 'id' | 'name' | 'isSupervisor'>,
  contract: ContractRow | undefined,
  attempt: number,
): string {
  if (contract !== undefined && task.isSupervisor) return contractBranch(contract.slug);
  const scope = contract?.slug ?? 'task';
  return `makima/${scope}/${slugify(task.name, 'task')}-${task.id.slice(-6)}-a${attempt}`;
}
