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
  let waiting: Promise<void> | null = null;
  const heldBy = new Map<string, string>();
  const passedOver = new Set<string>();
  const tell = async (): Promise<void> => {
    const known = (told ??= await readTold(file));
    const found = await parts.workspace.kept({
      isKnown: (kept) => known.has(lineOf(kept)),
      branchOf: async (taskId) => (await parts.records.read(taskId))?.contractBranch ?? null,
      heldBy,
      unreadable(at, error) {
        const place = `${at.store} ${at.ref ?? ''}`;
        if (!passedOver.has(place))
          parts.log.warn({ err: error, ...at }, 'kept work was passed over');
        passedOver.add(place);
      },
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
      // One that has yet to begin sees all that this one would.
      waiting ??= tail = tail
        .then(() => {
          waiting = null;
          return tell();
        })
        .catch((error: unknown) => {
          parts.log.error({ err: error }, 'kept work was not told of');
        });
      return waiting;
    },
  };
}

function lineOf({ ref, sha }: Pick<KeptWork, 'ref' | 'sha'>): string {
  return `${ref} ${sha}`;
}

async function readTold(file: string): Promise<Set<string>> {
  return new Set((await readFile(file, 'utf8').catch(() => '')).split('\n'));
}
