/**
 * A contract's branch brought to where it stands: every machine has a copy of it in its store, and the control plane
 * knows the head.
 *
 * Law: a copy that does not hold the head is never used; what it has that the branch left behind keeps a name. A
 * copy that is ahead stays: its merges are on their way to be told.
 *
 * export standAt(store, branch, head, sources: StandSources): Promise<void>
 */
import { isAncestor, updateRefs } from './commit.ts';
import { hasReason, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertNewBranch, carriedRef, strayedRef } from './names.ts';
import { takePack } from './pack.ts';
import { resolveCommit, type Store } from './store.ts';

/** The commits of a branch as they come from elsewhere. */
export interface Carried {
  /** The head that they lead to: the one that was asked for, or one that came after it. */
  readonly commitSha: string;
  /** Null: none were sent, because the source has them or because they were too large. */
  readonly pack: Buffer | null;
}

export interface StandSources {
  readonly fetch: () => Promise<Carried>;
  /** Fetches what the source has by now. */
  readonly refresh: () => Promise<unknown>;
}

export async function standAt(
  store: Store,
  branch: string,
  head: string,
  sources: StandSources,
): Promise<void> {
  const ref = `refs/heads/${assertNewBranch(branch)}`;
  if (await holds(store, ref, head)) return;
  const target =
    (await resolveCommit(store, head)) === null
      ? await bringIn(store, { branch, head, ...sources })
      : head;
  await withRepoLock(store.dir, async () => {
    const present = await resolveCommit(store, ref);
    if (present === null) return updateRefs(store, [`create ${ref} ${target}`]);
    if (await isAncestor(store, target, present)) return;
    const isBehind = await isAncestor(store, present, target);
    const kept = isBehind ? [] : [`update ${strayedRef(branch, present)} ${present}`];
    await updateRefs(store, [...kept, `update ${ref} ${target} ${present}`]);
  });
}

/** A commit that is not in the store is nobody's ancestor. */
async function holds(store: Store, ref: string, head: string): Promise<boolean> {
  const present = await resolveCommit(store, ref);
  if (present === null || present === head) return present === head;
  return (await resolveCommit(store, head)) !== null && isAncestor(store, head, present);
}

async function bringIn(
  store: Store,
  wanted: StandSources & { readonly branch: string; readonly head: string },
): Promise<string> {
  const { branch, refresh } = wanted;
  const { commitSha, pack } = await wanted.fetch();
  await takePack(store, { commitSha, pack, ref: carriedRef(branch), refresh }).catch(
    (error: unknown) => {
      throw pack === null && hasReason(error, 'ref_missing') ? elsewhere(branch) : error;
    },
  );
  return commitSha;
}

function elsewhere(branch: string): Error {
  return refuse(
    'branch_elsewhere',
    `${branch} stands on another machine, and what was merged into it was too large to be sent here`,
    'Let this be done on the machine that merged last, or bring the branch to the repository by hand',
  );
}
