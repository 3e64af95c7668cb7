/** The agent's process runs: starting → running, and for a restored supervisor the end of its absence. */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { changeAttempt } from '@makima/db/repo/attempts';
import { touchContract } from '@makima/db/repo/contracts';
import { openQuestionsOfTasks } from '@makima/db/repo/questions';
import { findSupervisor, restorationsOf } from '@makima/db/repo/supervisors';
import { appendConversation } from '@makima/db/repo/talk';
import { changeTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import { afterQuestion } from '@makima/domain/supervisor';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { heardMessage } from '../message/heard.ts';
import { savePoint } from '../save-point.ts';
import { fenceReport } from './fence.ts';

export async function taskStarted(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.started'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined || !fenced.present) return;
  const { task } = fenced;
  await changeAttempt(a.tx, {
    taskId: task.id,
    attempt: report.attempt,
    from: ['assigned'],
    set: { state: 'running', pid: report.pid, startedAt: a.now, resumedFrom: report.resumedFrom },
  });
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: report.attempt,
    from: ['starting'],
    set: {
      status: 'running',
      session: 'live',
      startedAt: task.startedAt ?? a.now,
      sessionStartedAt: task.sessionStartedAt ?? a.now,
      baseSha: task.baseSha ?? report.baseSha,
      worktreePath: report.worktreePath,
      errorMessage: null,
      ...(task.isSupervisor ? { checkpointSha: null } : {}),
    },
  });
  if (task.sessionStartedAt === null)
    await appendConversation(a.tx, {
      ownerId: a.ownerId,
      taskId: task.id,
      attempt: report.attempt,
      messages: [heardMessage('user', task.plan, a.now)],
    });
  a.emit('task.started', {
    contractId: task.contractId,
    taskId: task.id,
    data: {
      attempt: report.attempt,
      pid: report.pid,
      agent: task.agent,
      agentVersion: report.agentVersion,
      resumedFrom: report.resumedFrom,
      name: task.name,
      isSupervisor: task.isSupervisor,
    },
  });
  if (task.isSupervisor) await supervisorBack(a, task, report);
  if (task.contractId !== null)
    await touchContract(a.tx, { contractId: task.contractId, progress: 'yes' });
}

async function supervisorBack(
  a: Act,
  task: TaskRow,
  report: ReportOf<'task.started'>,
): Promise<void> {
  const supervisor = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  const restoration = (await restorationsOf(a.tx, { taskId: task.id })).find(
    (r) => r.epoch === report.attempt,
  );
  const activity = restoration === undefined ? 'Started' : 'Back at work after a restoration';
  await savePoint(a, task, { state: 'working', activity });
  await asksAlready(a, task, report.attempt);
  if (restoration === undefined) return;
  a.emit('supervisor.restored', {
    contractId: task.contractId,
    taskId: task.id,
    data: {
      epoch: report.attempt,
      pid: report.pid,
      strategy: restoration.strategy,
      resumedFrom: report.resumedFrom,
      restorationCount: supervisor?.restorationCount ?? 0,
      warnings: restoration.warnings,
    },
  });
}

/** A question may come before the report of the start: then it waits for the answer, and may be parked. */
async function asksAlready(a: Act, task: TaskRow, attempt: number): Promise<void> {
  const open = await openQuestionsOfTasks(a.tx, { ownerId: a.ownerId, taskIds: [task.id] });
  const asked = open.findLast((row) => row.askedEpoch === attempt && !row.nonBlocking);
  if (asked !== undefined) await savePoint(a, task, afterQuestion(asked.question));
}
