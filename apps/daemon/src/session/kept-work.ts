/**
 * Tells of work that stands on kept refs: each ref once, by whichever life of the daemon finds it untold. Most are
 * named by the report that came with them, and told of here again; some are made where nothing is reported (the
 * directory of an attempt that began anew), or by a life that died before its report was written.
 *
 * Law: a ref counts as told only when its report is on the disk, and with what it held then. Told twice it is no news
 * to the control plane. What the contract's branch has by then needs no name; that is looked at each time, since the
 * machine's copy of the branch may go back.
 */
import { appendFile, readFile } from 'node:fs/promises';
import type { DaemonContext, KeptTeller } from '../context.ts';
import type { KeptWork } from '../workspace/port.ts';

type Parts = Pick<DaemonContext, 'journal' | 'records' | 'workspace' | 'log'>;

/** `file`: what was told, one `ref commit` a line. */
export function createKeptTeller(parts: Parts, file: string): KeptTeller {
  let told: Set<string> | null = null;
  let tail: Promise<void> = Promise.resolve();
  const tell = async (): Promise<void> => {
    const known = (told ??= await readTold(file));
    const found = await parts.workspace.kept({
      isKnown: (kept) => known.has(lineOf(kept)),
      branchOf: async (taskId) => (await parts.records.read(taskId))?.contractBranch ?? null,
      unreadable: (at, error) => parts.log.warn({ err: error, ...at }, 'kept work was passed over'),
    });
    for (const { merged, sha, ...work } of found) {
      if (merged) continue;
      await parts.journal.report({ kind: 'task.kept', ...work });
      const line = lineOf({ ref: work.ref, sha });
      known.add(line);
      await appendFile(file, `${line}\n`, { mode: 0o600 });
    }
  };
  return {
    tell() {
      tail = tail.then(tell).catch((error: unknown) => {
        parts.log.error({ err: error }, 'kept work was not told of');
      });
      return tail;
    },
  };
}

function lineOf({ ref, sha }: Pick<KeptWork, 'ref' | 'sha'>): string {
  return `${ref} ${sha}`;
}

async function readTold(file: string): Promise<Set<string>> {
  return new Set((await readFile(file, 'utf8').catch(() => '')).split('\n'));
}
