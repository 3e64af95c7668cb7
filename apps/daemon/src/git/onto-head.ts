/**
 * A checkpoint's files on top of where their branch stands now: what was merged since is there, and so is what was
 * not committed.
 *
 * Law: nothing is dropped in silence. Where both changed the same lines both stand in the file, marked, and the
 * checkpoint as it was is kept on a ref. No ref of a branch moves.
 *
 * export ontoHead(store, options: OntoOptions): Promise<WorkStart>
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { begunIn } from './checkpoint.ts';
import { commitTree, isAncestor } from './commit.ts';
import { refuse } from './failure.ts';
import { keepCommit } from './keep.ts';
import { mergeTrees, mustResolve } from './merge.ts';
import { git } from './run.ts';
import { resolveCommit, type Store } from './store.ts';
import { unzipPatch, type WorkStart } from './workdir.ts';

export interface OntoOptions {
  readonly task: string;
  readonly attempt: number;
  /** The branch, which stands at its head. */
  readonly branch: string;
  /** Of the checkpoint: what its patch is against, and the patch, gzip of a git patch. */
  readonly baseSha: string;
  readonly patch: Buffer;
  /** Fetches what the source has by now. */
  readonly refresh: () => Promise<unknown>;
}

export async function ontoHead(store: Store, options: OntoOptions): Promise<WorkStart> {
  const { task, attempt, branch, baseSha, refresh } = options;
  if ((await resolveCommit(store, baseSha)) === null) await refresh();
  await mustResolve(store, baseSha, 'The base of the checkpoint');
  const patch = await unzipPatch(options.patch);
  const head = await mustResolve(store, `refs/heads/${branch}`, 'The branch');
  if (patch.length === 0) return { kind: 'commit', ref: head };
  const parent = await begunOn(store, begunIn(patch), { baseSha, head });
  const checkpoint = await commitTree(store, {
    tree: await patchedTree(store, baseSha, patch),
    parents: [parent],
    message: `Uncommitted files of ${task}, before attempt ${attempt}`,
  });
  const { tree, conflicts } = await mergeTrees(store, head, checkpoint);
  if (conflicts.length > 0) await keepCommit(store, checkpoint, { task, attempt, why: 'conflict' });
  const message = `Uncommitted files of ${task} on top of ${branch}`;
  return { kind: 'checkpoint', sha: await commitTree(store, { tree, parents: [head], message }) };
}

/** Where the directory of the checkpoint began: what the branch had there already is no change of the agent's. */
async function begunOn(
  store: Store,
  begun: string | null,
  { baseSha, head }: { readonly baseSha: string; readonly head: string },
): Promise<string> {
  if (begun === null || (await resolveCommit(store, begun)) === null) return baseSha;
  return (await isAncestor(store, begun, head)) ? begun : baseSha;
}

/** Into an index of its own: git refuses paths that climb or reach into `.git`. */
async function patchedTree(store: Store, baseSha: string, patch: Buffer): Promise<string> {
  const room = await mkdtemp(join(store.home, 'onto-'));
  try {
    const run = { gitDir: store.dir, env: { GIT_INDEX_FILE: join(room, 'index') } };
    await git(['read-tree', '--end-of-options', baseSha], run);
    const args = ['apply', '--cached', '--binary', '--whitespace=nowarn', '-'];
    await git(args, { ...run, input: patch }).catch((error: unknown) => {
      throw refuse('patch_refused', 'The patch does not apply to its base', undefined, {
        cause: error instanceof Error ? error.message : 'unknown',
      });
    });
    return (await git(['write-tree'], run)).stdout.trim();
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
