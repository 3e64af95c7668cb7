/**
 * A task's commit into a branch of the store, without any working tree.
 *
 * Law: nothing is ever half merged: the result is a finished tree and commit, and the branch moves in one
 * ref transaction that expects where it stood. The same operation id answers what it answered before. A
 * conflict is an answer with both sides, not an exception, and moves nothing.
 *
 * export mergeInto(store, options: MergeOptions): Promise<MergeResult>
 */
import { commitTree, isAncestor, treeOf, updateRefs } from './commit.ts';
import type { Identity } from './commit.ts';
import { readConflicts } from './conflicts.ts';
import type { MergeConflict } from './conflicts.ts';
import { GitFailure, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertNewBranch, operationRef } from './names.ts';
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
}

export interface MergeResult {
  readonly success: boolean;
  readonly message: string;
  /** Where the target stands now; null when it did not move because of conflicts. */
  readonly commitSha: string | null;
  readonly conflicts: readonly MergeConflict[];
}

export async function mergeInto(store: Store, options: MergeOptions): Promise<MergeResult> {
  const target = `refs/heads/${assertNewBranch(options.targetBranch)}`;
  const record = operationRef(options.operationId);
  return withRepoLock(store.dir, async () => {
    const former = await readResult(store, record);
    if (former !== null) return former;
    const ours = await mustResolve(store, target, 'The branch to merge into');
    const theirs = await mustResolve(store, options.source, 'The work to merge');
    if (await isAncestor(store, theirs, ours)) {
      const message = 'Everything of it is in the branch already';
      return conclude(store, record, [], {
        success: true,
        message,
        commitSha: ours,
        conflicts: [],
      });
    }
    const merged = await mergeTrees(store, ours, theirs);
    if (merged.conflicts.length > 0) {
      const message = `Conflicts in ${merged.conflicts
        .map((c) => c.path)
        .join(', ')
        .slice(0, 500)}`;
      const { conflicts } = merged;
      return conclude(store, record, [], { success: false, message, commitSha: null, conflicts });
    }
    return commitMerge(store, options, { target, record, ours, theirs, tree: merged.tree });
  });
}

async function commitMerge(
  store: Store,
  options: MergeOptions,
  at: { target: string; record: string; ours: string; theirs: string; tree: string },
): Promise<MergeResult> {
  if (options.how === 'squash' && at.tree === (await treeOf(store, at.ours))) {
    const message = 'It changes nothing in the branch';
    return conclude(store, at.record, [], {
      success: true,
      message,
      commitSha: at.ours,
      conflicts: [],
    });
  }
  const trailers = `Makima-Operation: ${options.operationId}\nMakima-Source: ${at.theirs}`;
  const commitSha = await commitTree(store, {
    tree: at.tree,
    parents: options.how === 'squash' ? [at.ours] : [at.ours, at.theirs],
    message: `${options.message.trim() || 'Merge'}\n\n${trailers}`,
    ...(options.identity === undefined ? {} : { identity: options.identity }),
  });
  const message = options.how === 'squash' ? 'Merged as one commit' : 'Merged';
  const move = `update ${at.target} ${commitSha} ${at.ours}`;
  return conclude(store, at.record, [move], { success: true, message, commitSha, conflicts: [] });
}

async function mustResolve(store: Store, name: string, what: string): Promise<string> {
  const sha = await resolveCommit(store, name);
  if (sha === null) throw refuse('ref_missing', `${what} is not in the store`);
  return sha;
}

async function mergeTrees(
  store: Store,
  ours: string,
  theirs: string,
): Promise<{ readonly tree: string; readonly conflicts: readonly MergeConflict[] }> {
  const args = ['merge-tree', '--write-tree', '-z', '--messages', ours, theirs];
  try {
    const { bytes, exitCode } = await git(args, { gitDir: store.dir, okCodes: [0, 1] });
    const text = bytes.toString('utf8');
    const tree = text.slice(0, text.indexOf('\0'));
    return { tree, conflicts: exitCode === 0 ? [] : await readConflicts(store, tree, text) };
  } catch (error) {
    if (error instanceof GitFailure && /unrelated histories/.test(error.stderr)) {
      throw refuse(
        'unrelated_histories',
        'The work shares no commit with the branch that it is to be merged into',
        'Start it again from the branch',
      );
    }
    throw error;
  }
}

/** Result and branch move together: a blob under the operation's ref, in one transaction. */
async function conclude(
  store: Store,
  record: string,
  moves: readonly string[],
  result: MergeResult,
): Promise<MergeResult> {
  const { stdout } = await git(['hash-object', '-w', '--stdin'], {
    gitDir: store.dir,
    input: JSON.stringify(result),
  });
  await updateRefs(store, [...moves, `create ${record} ${stdout.trim()}`]);
  return result;
}

async function readResult(store: Store, record: string): Promise<MergeResult | null> {
  const found = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', record], {
    gitDir: store.dir,
    okCodes: [0, 1, 128],
  });
  if (found.exitCode !== 0) return null;
  const blob = await git(['cat-file', 'blob', found.stdout.trim()], { gitDir: store.dir });
  return JSON.parse(blob.stdout) as MergeResult;
}
