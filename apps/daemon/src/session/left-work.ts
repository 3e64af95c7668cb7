/**
 * Work whose attempt is over and that was not collected then: the daemon died under it. Mostly the next attempt
 * goes on in the same directory a moment later, and nothing of it has to be put aside; the rest is collected here.
 *
 * Law: nothing starts later because of this; whoever needs such work before asks for it (a merge, a task that
 * continues from it). Never under an agent that begins or lives in the directory.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { DaemonContext } from '../context.ts';
import { reportEnd } from '../commands/report-end.ts';
import type { TaskRecord } from '../workspace/port.ts';

/** Collects what nobody went on with within `afterMs`; resolves early, with the rest left, on the signal. */
export async function collectLeftWork(
  context: DaemonContext,
  { afterMs, signal }: { readonly afterMs: number; readonly signal: AbortSignal },
): Promise<void> {
  await pause(afterMs, undefined, { signal, ref: false }).catch(() => undefined);
  for (const { taskId } of await context.records.all()) {
    if (signal.aborted) return;
    const record = await context.records.read(taskId);
    if (record === null || record.collected || livesHere(context, record)) continue;
    try {
      await collect(context, record);
    } catch (error) {
      const { attempt } = record;
      context.log.error({ err: error, taskId, attempt }, 'work was not collected');
    }
  }
}

function livesHere(context: DaemonContext, { taskId }: TaskRecord): boolean {
  return [...context.journal.state.attempts.values()].some(
    (attempt) => attempt.taskId === taskId && attempt.phase !== 'ended',
  );
}

async function collect(context: DaemonContext, record: TaskRecord): Promise<void> {
  const { directory } = record;
  if (!(await isThere(directory))) return context.records.amend(record, { collected: true });
  const options = { leftovers: 'keep', why: 'daemon_restarted' } as const;
  const { commitSha, keptRef, leftoverSha } = await context.workspace.collect(record, options);
  await context.records.amend(record, { collected: true, leftoverSha });
  if (keptRef === null) return;
  // The attempt's end is known; that it is told again names the ref to people.
  const summary = 'the daemon came to its end while the agent worked';
  await reportEnd(context, record, { outcome: 'daemon_restarted', summary, commitSha, keptRef });
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
