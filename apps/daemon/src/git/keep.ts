/**
 * Work that is late, fenced, unmerged or uncommitted, put on a ref of the store so that nothing an agent
 * made is lost when its directory goes.
 *
 * Law: a kept ref is never moved away from what it holds: the same name again with other work gets a
 * number; files are kept even when the agent's `.git` is refused; nothing to keep is an answer. What a branch
 * holds by now is not named as kept, whatever ref it stands on.
 *
 * export keepCommit(store, sha, { task, attempt, why? }): Promise<Kept>
 * export keepWorkdir(workdir, options: KeepOptions): Promise<KeptWork>
 * export isHeld(store, sha, holders: readonly string[]): Promise<boolean>
 * export keptIn(storeDir): Promise<Kept[]>       all that is kept in a store, whatever its objects are like
 */
import { commitTree, isAncestor, parentOf, treeOf, updateRefs } from './commit.ts';
import type { Identity } from './commit.ts';
import { saveFiles } from './checkpoint.ts';
import { refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { squashOf } from './merge.ts';
import { assertSha, keptRef, taskRef } from './names.ts';
import { git } from './run.ts';
import type { Workdir } from './shadow.ts';
import type { EmbeddedReport, Skipped, SnapshotLimits } from './snapshot.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

export interface KeepName {
  readonly task: string;
  readonly attempt: number;
  /** Lower case word: `late`, `fenced`, `unmerged`, `dirty`. */
  readonly why?: string;
}

export interface Kept {
  readonly ref: string;
  readonly sha: string;
}

export interface KeepOptions extends KeepName, SnapshotLimits {
  /** Where the task's branch started. */
  readonly baseSha: string;
  readonly identity?: Identity;
  /** Commits that already hold this work, such as the contract's branch: what they reach needs no ref. */
  readonly mergedInto?: readonly string[];
}

export interface KeptWork {
  /** All refs that hold work which is merged nowhere; empty when everything was merged and clean. */
  readonly refs: readonly string[];
  /** The ref with the uncommitted files, or with the commits when the files were clean. */
  readonly kept: Kept | null;
  /** A commit that holds all of it: start from here (`checkpoint`) to go on elsewhere. */
  readonly workSha: string;
  /** Why the agent's commits since the last take could not be had; null when they were. */
  readonly commitsMissing: string | null;
  readonly embedded: readonly EmbeddedReport[];
  readonly skipped: readonly Skipped[];
}

export async function keepCommit(store: Store, sha: string, name: KeepName): Promise<Kept> {
  assertSha(sha);
  return withRepoLock(store.dir, async () => {
    if ((await resolveCommit(store, sha)) === null) {
      throw refuse('ref_missing', 'The commit to keep is not in the store');
    }
    for (let number = 1; ; number += 1) {
      const ref = `${keptRef(name.task, name.attempt, name.why)}${number === 1 ? '' : `-${number}`}`;
      const former = await resolveCommit(store, ref);
      if (former === sha) return { ref, sha };
      if (former !== null && !(await isAncestor(store, former, sha))) continue;
      await updateRefs(store, [`update ${ref} ${sha} ${former ?? '0'.repeat(sha.length)}`]);
      return { ref, sha };
    }
  });
}

/** Everything of a working directory: its commits, then its files as they are now. */
export async function keepWorkdir(workdir: Workdir, options: KeepOptions): Promise<KeptWork> {
  const { store } = workdir;
  const saved = await saveFiles(workdir, { ...options, onBrokenGit: 'files_only' });
  const refs: string[] = [];
  const head = await resolveCommit(store, taskRef(options.task, options.attempt));
  const tip = head ?? saved.parentSha;
  const dirty = saved.tree !== (await treeOf(store, tip));
  let kept: Kept | null = null;
  if (dirty) {
    const name = { ...options, why: options.why ?? 'dirty' };
    kept =
      (await sameWork(store, name, { tree: saved.tree, parent: tip })) ??
      (await keepCommit(store, await commitFiles(store, options, saved.tree, tip), name));
  } else if (!(await isHeld(store, tip, holdersOf(options)))) {
    const known = (await keptOf(store, options)).find(({ sha }) => sha === tip);
    kept =
      known === undefined
        ? await keepCommit(store, tip, options)
        : { ref: known.ref, sha: known.sha };
  }
  if (kept !== null) refs.push(kept.ref);
  refs.push(...(await otherKeptRefs(store, options, refs)));
  const { commitsMissing, embedded, skipped } = saved;
  return { refs, kept, workSha: kept?.sha ?? tip, commitsMissing, embedded, skipped };
}

function commitFiles(
  store: Store,
  options: KeepOptions,
  tree: string,
  parent: string,
): Promise<string> {
  return commitTree(store, {
    tree,
    parents: [parent],
    message: `Uncommitted files of ${options.task}, attempt ${options.attempt}`,
    ...(options.identity === undefined ? {} : { identity: options.identity }),
  });
}

/** Kept before, under whatever word: the same files on the same commit. */
async function sameWork(
  store: Store,
  name: KeepName,
  work: { readonly tree: string; readonly parent: string },
): Promise<Kept | null> {
  for (const { ref, sha } of await keptOf(store, name)) {
    if ((await treeOf(store, sha)) !== work.tree) continue;
    if ((await parentOf(store, sha)) === work.parent) return { ref, sha };
  }
  return null;
}

async function keptOf(store: Store, name: KeepName): Promise<Kept[]> {
  const own = keptRef(name.task, name.attempt);
  const there: Kept[] = [];
  for (const kept of await refsOf(store.dir, [own, `${own}-*`]))
    if ((await resolveCommit(store, kept.sha)) !== null) there.push(kept);
  return there;
}

/** All of a store, also those whose commit is lost. */
export function keptIn(storeDir: string): Promise<Kept[]> {
  return refsOf(storeDir, ['refs/makima/kept']);
}

/** No object is read for it: one that is lost hides no other. */
async function refsOf(storeDir: string, patterns: readonly string[]): Promise<Kept[]> {
  const args = ['for-each-ref', '--format=%(refname) %(objectname)', ...patterns];
  const { stdout } = await git(args, { gitDir: storeDir });
  const rows = stdout.split('\n').filter((row) => row !== '');
  return rows.map((row) => row.split(' ')).map(([ref = '', sha = '']) => ({ ref, sha }));
}

function holdersOf({ baseSha, mergedInto = [] }: KeepOptions): readonly string[] {
  return [baseSha, ...mergedInto];
}

/** Whether one of these branches or commits has it, as it is or squashed into one. Those that are not there have nothing. */
export async function isHeld(
  store: Pick<Store, 'dir'>,
  sha: string,
  holders: readonly string[],
): Promise<boolean> {
  for (const name of holders) {
    const holder = await resolveCommit(store, name);
    if (holder === null) continue;
    if (await isAncestor(store, sha, holder)) return true;
    if ((await squashOf(store, holder, sha)) !== null) return true;
  }
  return false;
}

async function otherKeptRefs(
  store: Store,
  options: KeepOptions,
  known: readonly string[],
): Promise<string[]> {
  const others: string[] = [];
  for (const { ref, sha } of await keptOf(store, options)) {
    if (known.includes(ref)) continue;
    if (!(await isHeld(store, sha, holdersOf(options)))) others.push(ref);
  }
  return others;
}
