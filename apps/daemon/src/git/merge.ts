/**
 * A task's commit into a branch of the store, without any working tree.
 *
 * Law: nothing is ever half merged: the result is a finished tree and commit, and the branch moves in one
 * ref transaction that expects where it stood. The same operation id answers what it answered before. A
 * conflict is an answer with both sides, not an exception, and moves nothing. Work that was squashed into a
 * branch is in it: a message says where to look, and what the commit holds proves it.
 *
 * export mergeInto(store, options: MergeOptions): Promise<MergeResult>     tells how the branch moved
 * export mergeCommits(store, ends: Ends): Promise<{ result, commitSha }>     moves nothing
 */
import { changedPaths, type ChangedPaths } from './changed-paths.ts';
import { commitTree, isAncestor, treeOf } from './commit.ts';
import type { Identity } from './commit.ts';
import { readConflicts } from './conflicts.ts';
import type { MergeConflict } from './conflicts.ts';
import { GitFailure, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertNewBranch, assertSha } from './names.ts';
import { recordedResult, recordResult } from './operation-record.ts';
import { git } from './run.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

export interface MergeOptions {
  readonly operationId: string;
  /** Branch, full ref or commit id of the store; a task's is `taskRef(task, attempt)`. */
  readonly source: string;
  /** A branch of makima's in the store. */
  readonly targetBranch: string;
  readonly how: 'merge' | 'squash';
  readonly message: string;
  readonly identity?: Identity;
  /** Of these files it is told for certain whether the merge touched them. */
  readonly watch?: readonly string[];
}

export interface MergeResult {
  readonly success: boolean;
  readonly message: string;
  /** Where the target stands now; null when it did not move because of conflicts. */
  readonly commitSha: string | null;
  readonly conflicts: readonly MergeConflict[];
  /** When the target moved: from where, and which files are different now. */
  readonly moved?: { readonly from: string } & ChangedPaths;
}

export async function mergeInto(store: Store, options: MergeOptions): Promise<MergeResult> {
  const target = `refs/heads/${assertNewBranch(options.targetBranch)}`;
  const { operationId } = options;
  return withRepoLock(store.dir, async () => {
    const former = await recordedResult<MergeResult>(store, operationId);
    if (former !== null) return former;
    const ours = await mustResolve(store, target, 'The branch to merge into');
    const theirs = await mustResolve(store, options.source, 'The work to merge');
    const { result: merged, commitSha } = await mergeCommits(store, { ...options, ours, theirs });
    const result = await withMove(store, merged, { ours, commitSha, watch: options.watch });
    const moves = commitSha === null ? [] : [`update ${target} ${commitSha} ${ours}`];
    await recordResult(store, operationId, result, moves);
    return result;
  });
}

async function withMove(
  store: Store,
  result: MergeResult,
  move: { ours: string; commitSha: string | null; watch: readonly string[] | undefined },
): Promise<MergeResult> {
  const { ours, commitSha, watch = [] } = move;
  if (commitSha === null) return result;
  return {
    ...result,
    moved: { from: ours, ...(await changedPaths(store, ours, commitSha, watch)) },
  };
}

export interface Ends extends Pick<MergeOptions, 'operationId' | 'how' | 'message' | 'identity'> {
  readonly ours: string;
  readonly theirs: string;
}

/**
 * The merge of two commits, which no ref holds yet: `commitSha` is the new commit, null when none was needed
 * or possible. The caller holds the store's lock.
 */
export async function mergeCommits(
  store: Store,
  ends: Ends,
): Promise<{ readonly result: MergeResult; readonly commitSha: string | null }> {
  const { ours, theirs } = ends;
  const stays = (message: string, commitSha = ours) => ({
    result: { success: true, message, commitSha, conflicts: [] },
    commitSha: null,
  });
  if (await isAncestor(store, theirs, ours))
    return stays('Everything of it is in the branch already');
  const squashed = await squashOf(store, ours, theirs);
  if (squashed !== null) return stays(`It is in the branch already, as ${squashed.slice(0, 12)}`);
  const merged = await mergeTrees(store, ours, theirs);
  if (merged.conflicts.length > 0) {
    const paths = merged.conflicts.map((conflict) => conflict.path).join(', ');
    const message = `Conflicts in ${paths.slice(0, 500)}`;
    const { conflicts } = merged;
    return { result: { success: false, message, commitSha: null, conflicts }, commitSha: null };
  }
  if (ends.how === 'squash' && merged.tree === (await treeOf(store, ours)))
    return stays('It changes nothing in the branch');
  const trailers = `Makima-Operation: ${ends.operationId}\nMakima-Source: ${theirs}`;
  const commitSha = await commitTree(store, {
    tree: merged.tree,
    parents: ends.how === 'squash' ? [ours] : [ours, theirs],
    message: `${ends.message.trim() || 'Merge'}\n\n${trailers}`,
    ...(ends.identity === undefined ? {} : { identity: ends.identity }),
  });
  const message = ends.how === 'squash' ? 'Merged as one commit' : 'Merged';
  return { result: { success: true, message, commitSha, conflicts: [] }, commitSha };
}

/** So many commits that say it of themselves are looked at, the newest first. */
const claimsMax = 32;

/**
 * The commit of the branch that this work was squashed into, whatever came after it. Anybody can write the words that
 * name the work into a message, so that no commit is taken at its word: it is one when merging the work into its
 * parent comes to the very files that it has. This holds on every machine that the branch travels to.
 */
export async function squashOf(
  store: Pick<Store, 'dir'>,
  ours: string,
  theirs: string,
): Promise<string | null> {
  const claims = [
    '--parents',
    '--min-parents=1',
    '--max-parents=1',
    `--max-count=${claimsMax}`,
    `--grep=^Makima-Source: ${assertSha(theirs)}$`,
  ];
  const args = ['rev-list', ...claims, '--end-of-options', ours, `^${theirs}`];
  const { stdout } = await git(args, { gitDir: store.dir });
  for (const line of stdout.split('\n').filter((row) => row !== '')) {
    const [commit = '', parent = ''] = line.split(' ');
    const merged = await mergedTree(store, parent, theirs);
    if (merged?.clean === true && merged.tree === (await treeOf(store, commit))) return commit;
  }
  return null;
}

export async function mustResolve(store: Store, name: string, what: string): Promise<string> {
  const sha = await resolveCommit(store, name);
  if (sha === null) throw refuse('ref_missing', `${what} is not in the store`);
  return sha;
}

async function mergeTrees(
  store: Store,
  ours: string,
  theirs: string,
): Promise<{ readonly tree: string; readonly conflicts: readonly MergeConflict[] }> {
  const merged = await mergedTree(store, ours, theirs);
  if (merged === null) {
    throw refuse(
      'unrelated_histories',
      'The work shares no commit with the branch that it is to be merged into',
      'Start it again from the branch',
    );
  }
  const { tree, clean, text } = merged;
  return { tree, conflicts: clean ? [] : await readConflicts(store, tree, text) };
}

/** Null when the two share no commit. */
async function mergedTree(
  store: Pick<Store, 'dir'>,
  ours: string,
  theirs: string,
): Promise<{ readonly tree: string; readonly clean: boolean; readonly text: string } | null> {
  const args = ['merge-tree', '--write-tree', '-z', '--messages', ours, theirs];
  try {
    const { bytes, exitCode } = await git(args, { gitDir: store.dir, okCodes: [0, 1] });
    const text = bytes.toString('utf8');
    return { tree: text.slice(0, text.indexOf('\0')), clean: exitCode === 0, text };
  } catch (error) {
    if (error instanceof GitFailure && /unrelated histories/.test(error.stderr)) return null;
    throw error;
  }
}
