/**
 * A turn of an agent that stays alive is over: the supervisor is idle until a message comes. A turn that
 * failed says why.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { findSupervisor, saveCondition } from '@makima/db/repo/supervisors';
import { changeTask } from '@makima/db/repo/tasks';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { savePoint } from '../save-point.ts';
import { tellWhatEnded } from '../message/supervisor-news.ts';
import { unblockSupervisor } from '../supervisor/block.ts';
import { recordUsage } from '../usage/record.ts';
import { fenceReport } from './fence.ts';

export async function taskTurnEnded(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.turn_ended'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined) return;
  await recordUsage(a, { ...report, task: fenced.task });
  if (!fenced.present) return;
  const { task } = fenced;
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: report.attempt,
    from: ['starting', 'running'],
    set: {
      session: 'live',
      resumeAt: null,
      outputSummary: report.text === '' ? task.outputSummary : report.text.slice(0, summaryChars),
      errorMessage: report.error,
    },
  });
  if (!task.isSupervisor) return;
  const supervisor = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (supervisor === undefined) return;
  if (report.outcome === 'failed')
    await saveCondition(a.tx, {
      taskId: task.id,
      state: supervisor.state,
      activity: 'Its last turn failed',
      errorMessage: report.error,
    });
  // What it might not do is nothing that it does now.
  await unblockSupervisor(a, task, 'its turn is over');
  await savePoint(a, task, {
    state: 'idle',
    activity: idleWords(report),
  });
  await tellWhatEnded(a, task);
  // Whether anything will wake it is looked at with the contract held.
  if (task.contractId !== null) {
    a.mail(
      'evaluate-contract',
      { contractId: task.contractId },
      {
        entityId: task.contractId,
        fence: `idle-${report.attempt}-${a.now.getTime().toString(36)}`,
      },
    );
  }
}

export const summaryChars = 4_000;

function idleWords(report: ReportOf<'task.turn_ended'>): string {
  switch (report.outcome) {
    case 'completed':
      return 'Idle: its turn is over';
    case 'interrupted':
      return 'Idle: its turn was interrupted';
    case 'failed':
      return `Idle: its turn failed: ${(report.error ?? 'no reason given').slice(0, 200)}`;
  }
}
