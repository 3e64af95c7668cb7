/**
 * The rows that the reports of a frame speak of, locked before the first of them is applied, in the order
 * that everybody keeps: contracts, tasks, attempts, ends, each by id. A frame mixes tasks as they come.
 */
import type { Report } from '@makima/contracts/socket/reports';
import { lockLiveAttempts } from '@makima/db/repo/attempts';
import { lockContract } from '@makima/db/repo/contracts';
import { lockEnds } from '@makima/db/repo/locks';
import { operationsByIds } from '@makima/db/repo/operations';
import { lockTasks, tasksByIds } from '@makima/db/repo/tasks';
import type { OperationRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export async function lockFrame(a: Act, reports: readonly Report[]): Promise<void> {
  if (reports.length < 2) return;
  const { ownerId } = a;
  const asking = idsOf(
    reports.filter(({ kind }) => kind === 'agent.asked' || kind === 'agent.withdrew'),
  );
  const askers = asking.length === 0 ? [] : await tasksByIds(a.tx, { ownerId, ids: asking });
  const merges = await mergesOf(a, reports);
  const contractIds = new Set([...askers, ...merges].flatMap((row) => row.contractId ?? []));
  for (const id of [...contractIds].toSorted())
    await lockContract(a.tx, { ownerId, id, strength: 'update' });
  const taskIds = idsOf(reports);
  if (taskIds.length === 0) return;
  await lockTasks(a.tx, { ownerId, ids: taskIds });
  await lockLiveAttempts(a.tx, { ownerId, taskIds });
  await lockEnds(a.tx, { taskIds: idsOf(reports.filter(({ kind }) => kind === 'task.ended')) });
}

/** Merges move their contract's branch. */
async function mergesOf(a: Act, reports: readonly Report[]): Promise<OperationRow[]> {
  const ids = reports.flatMap((report) => ('operationId' in report ? [report.operationId] : []));
  if (ids.length === 0) return [];
  const rows = await operationsByIds(a.tx, { ownerId: a.ownerId, ids });
  return rows.filter(({ kind }) => kind === 'branch.merge');
}

function idsOf(reports: readonly Report[]): string[] {
  return [...new Set(reports.flatMap((report) => ('taskId' in report ? [report.taskId] : [])))];
}
