/**
 * All work that stands on kept refs of this machine's stores, with whose it is.
 *
 * Law: read from the stores themselves: what stands there was kept, whoever died before it could say so. A store or
 * a ref that cannot be read hides no other.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '../git/failure.ts';
import { isHeld, keptIn, type Kept } from '../git/keep.ts';
import { resolveCommit } from '../git/store.ts';
import type { KeptLook, KeptWork } from './port.ts';

const named = /^refs\/makima\/kept\/([0-9a-f-]{36})-a(\d{1,9})(?:-([a-z][a-z0-9-]*?))?(?:-\d+)?$/;

/** `home`: the folder of the stores. A ref that makima would not name so is nobody's. */
export async function keptHere(home: string, look: KeptLook): Promise<KeptWork[]> {
  const stores = join(home, 'stores');
  const names = await readdir(stores).catch(() => []);
  const found: KeptWork[] = [];
  for (const store of names.filter((entry) => entry.endsWith('.git'))) {
    const dir = join(stores, store);
    const passOver = (ref: string | undefined) => (error: unknown) => {
      look.unreadable({ store, ...(ref === undefined ? {} : { ref }) }, error);
    };
    for (const kept of (await keptIn(dir).catch(passOver(undefined))) ?? []) {
      const work = (await workOf(dir, kept, look).catch(passOver(kept.ref))) ?? null;
      if (work !== null) found.push(work);
    }
  }
  return found;
}

async function workOf(dir: string, kept: Kept, look: KeptLook): Promise<KeptWork | null> {
  const { ref, sha } = kept;
  const [, taskId, attempt, why = 'unmerged'] = named.exec(ref) ?? [];
  if (taskId === undefined || look.isKnown(kept)) return null;
  const branch = await look.branchOf(taskId);
  const head = branch === null ? null : await resolveCommit({ dir }, branch);
  const isHeldYet = head !== null && look.heldBy.get(sha) === head;
  if (!isHeldYet && (await resolveCommit({ dir }, sha)) === null)
    throw refuse('ref_missing', 'The commit that was kept is not in the store');
  const merged = isHeldYet || (head !== null && (await isHeld({ dir }, sha, [head])));
  if (merged && head !== null) look.heldBy.set(sha, head);
  return { ref, sha, taskId, attempt: Number(attempt), why, merged };
}
