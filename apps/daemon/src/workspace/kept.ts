/**
 * All work that stands on kept refs of this machine's stores, with whose it is.
 *
 * Law: read from the stores themselves: what stands there was kept, whoever died before it could say so.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isHeld, keptIn } from '../git/keep.ts';
import type { KeptLook, KeptWork } from './port.ts';

const named = /^refs\/makima\/kept\/([0-9a-f-]{36})-a(\d{1,9})(?:-([a-z][a-z0-9-]*?))?(?:-\d+)?$/;

/** `home`: the folder of the stores. A ref that makima would not name so is nobody's. */
export async function keptHere(home: string, look: KeptLook): Promise<KeptWork[]> {
  const stores = join(home, 'stores');
  const names = await readdir(stores).catch(() => []);
  const found: KeptWork[] = [];
  for (const name of names.filter((entry) => entry.endsWith('.git'))) {
    const dir = join(stores, name);
    for (const { ref, sha } of await keptIn(dir)) {
      const [, taskId, attempt, why = 'unmerged'] = named.exec(ref) ?? [];
      if (taskId === undefined || look.isKnown(ref)) continue;
      const branch = await look.branchOf(taskId);
      const merged = branch !== null && (await isHeld({ dir }, sha, [branch]));
      found.push({ ref, taskId, attempt: Number(attempt), why, merged });
    }
  }
  return found;
}
