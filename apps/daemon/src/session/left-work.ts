/**
 * Work whose attempt is over and that was not collected then: its agent died under it, or the daemon did. Mostly
 * the next attempt goes on in the same directory a moment later, and nothing of it has to be put aside; the rest is
 * collected here.
 *
 * Law: nothing starts later because of this; whoever needs such work before takes it over first (a merge, a task
 * that continues from it). Never under an agent that begins or lives in the directory.
 */
import { stat } from 'node:fs/promises';
import type { DaemonContext, LeftWork } from '../context.ts';
import { reportEnd } from '../commands/report-end.ts';
import type { TaskRecord } from '../workspace/port.ts';

type Parts = Pick<DaemonContext, 'records' | 'journal' | 'workspace' | 'log' | 'kept'>;

export function createLeftWork(parts: Parts, { afterMs }: { readonly afterMs: number }): LeftWork {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let isOver = false;
  const look = async (): Promise<void> => {
    const left = (await parts.records.all()).filter(({ collected }) => !collected);
    for (const { taskId } of left) {
      if (isOver) return;
      const record = await parts.records.read(taskId);
      if (record === null || record.collected || livesHere(parts, record)) continue;
      await collect(parts, record).catch((error: unknown) => {
        const { attempt } = record;
        parts.log.error({ err: error, taskId, attempt }, 'work was not collected');
      });
    }
    await parts.kept.tell();
  };
  return {
    later() {
      if (timer !== undefined || isOver) return;
      timer = setTimeout(() => {
        timer = undefined;
        looking = looking.then(look);
      }, afterMs);
    },
    async stop() {
      isOver = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

function livesHere({ journal }: Parts, { taskId }: TaskRecord): boolean {
  return [...journal.state.attempts.values()].some(
    (attempt) => attempt.taskId === taskId && attempt.phase !== 'ended',
  );
}

async function collect(parts: Parts, record: TaskRecord): Promise<void> {
  const { records, workspace } = parts;
  if (!(await isThere(record.directory))) return records.amend(record, { collected: true });
  const options = { leftovers: 'keep', why: 'crashed' } as const;
  const { commitSha, keptRef, leftoverSha } = await workspace.collect(record, options);
  await records.amend(record, { collected: true, leftoverSha });
  if (keptRef === null) return;
  // Its end is known; that it is told again names the ref to people.
  const summary = 'its agent came to its end while it worked';
  await reportEnd(parts, record, { outcome: 'crashed', summary, commitSha, keptRef });
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
