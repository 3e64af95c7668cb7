/**
 * A checkpoint: a commit in the store that holds everything of a working directory, made without touching
 * the agent's index or branch, with its patch against a commit that every copy of the source has.
 *
 * Law: the same number twice is the same checkpoint; the ref appears only when commit and objects are
 * there; the parent is the agent's HEAD when that descends from the base, else the base.
 *
 * export makeCheckpoint(workdir, options: CheckpointOptions): Promise<Checkpoint>
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { commitTree, countChanges, isAncestor, publicBase, updateRefs } from './commit.ts';
import type { ChangeCount, Identity } from './commit.ts';
import { GitFailure, hasReason, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertSha, checkpointRef } from './names.ts';
import { git } from './run.ts';
import { assertRealDirectory, ensureShadow } from './shadow.ts';
import type { Workdir } from './shadow.ts';
import { snapshotTree } from './snapshot.ts';
import type { EmbeddedReport, Skipped, SnapshotLimits } from './snapshot.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import { takeCommits } from './take.ts';
import type { Taken } from './take.ts';

export interface CheckpointOptions extends SnapshotLimits {
  readonly task: string;
  readonly attempt: number;
  readonly number: number;
  readonly message: string;
  /** Where the task's branch started. */
  readonly baseSha: string;
  readonly identity?: Identity;
  /** Cap of the uncompressed patch. */
  readonly patchMaxBytes?: number;
  /** `files_only`: save the files even when the agent's `.git` is refused. Default: refuse. */
  readonly onBrokenGit?: 'refuse' | 'files_only';
}

export interface Checkpoint extends ChangeCount {
  readonly ref: string;
  readonly commitSha: string;
  readonly parentSha: string;
  /** What the patch is against: the nearest commit that the source itself has. */
  readonly baseSha: string;
  /** The agent's branch, or `detached`. */
  readonly branchName: string;
  /** gzip of a binary git patch; null when it is larger than the cap. */
  readonly patch: Buffer | null;
  readonly embedded: readonly EmbeddedReport[];
  readonly skipped: readonly Skipped[];
}

const patchMaxBytes = 20 * 1024 * 1024;

export async function makeCheckpoint(
  workdir: Workdir,
  options: CheckpointOptions,
): Promise<Checkpoint> {
  const { store } = workdir;
  const ref = checkpointRef(options.task, options.number);
  const existing = await resolveCommit(store, ref);
  const nothing = { embedded: [], skipped: [] };
  if (existing !== null) return describe(store, ref, existing, options, nothing);
  const saved = await saveFiles(workdir, options);
  const trailers = [
    `Makima-Task: ${options.task}`,
    `Makima-Attempt: ${options.attempt}`,
    `Makima-Branch: ${saved.branchName}`,
    `Makima-Checkpoint: ${options.number}`,
  ].join('\n');
  const commitSha = await commitTree(store, {
    tree: saved.tree,
    parents: [saved.parentSha],
    message: `${options.message.trim() || `Checkpoint ${options.number}`}\n\n${trailers}`,
    ...(options.identity === undefined ? {} : { identity: options.identity }),
  });
  const won = await withRepoLock(store.dir, async () => {
    // The same command may have come twice at once: the first commit is the checkpoint.
    const former = await resolveCommit(store, ref);
    if (former === null) await updateRefs(store, [`create ${ref} ${commitSha}`]);
    return former ?? commitSha;
  });
  return describe(store, ref, won, options, saved);
}

export interface SavedFiles {
  readonly tree: string;
  readonly parentSha: string;
  readonly branchName: string;
  /** Why the agent's commits could not be taken, with `files_only`; null when they were. */
  readonly commitsMissing: string | null;
  readonly embedded: readonly EmbeddedReport[];
  readonly skipped: readonly Skipped[];
}

/** Take the agent's commits, then write the files as a tree. No ref but those of the commits moves. */
export async function saveFiles(
  workdir: Workdir,
  options: Pick<
    CheckpointOptions,
    'task' | 'attempt' | 'baseSha' | 'onBrokenGit' | keyof SnapshotLimits
  >,
): Promise<SavedFiles> {
  const { store } = workdir;
  await assertRealDirectory(workdir.dir);
  const base = await resolveCommit(store, assertSha(options.baseSha));
  if (base === null) throw refuse('base_missing', 'The base of the task is not in the store');
  const answer = await takeOrReason(workdir, options);
  const taken = typeof answer === 'string' ? null : answer;
  const head = taken?.headSha ?? null;
  const sane = head !== null && (await isAncestor(store, base, head));
  const snapshot = await withRepoLock(workdir.shadowDir, async () => {
    await ensureShadow(workdir);
    return snapshotTree(workdir, head ?? base, options);
  });
  return {
    ...snapshot,
    parentSha: sane ? head : base,
    branchName: taken?.branch ?? 'detached',
    commitsMissing: typeof answer === 'string' ? answer : null,
  };
}

/** With `files_only` the files are worth more than the reason why the commits cannot be had. */
async function takeOrReason(
  workdir: Workdir,
  options: Pick<CheckpointOptions, 'task' | 'attempt' | 'onBrokenGit'>,
): Promise<Taken | string> {
  try {
    return await takeCommits(workdir, options);
  } catch (error) {
    const broken = ['git_dir_replaced', 'git_dir_foreign_objects', 'git_dir_unreadable'] as const;
    const tolerable =
      broken.some((reason) => hasReason(error, reason)) || error instanceof GitFailure;
    if (options.onBrokenGit !== 'files_only' || !tolerable) throw error;
    return error instanceof Error ? error.message : 'unknown';
  }
}

async function describe(
  store: Store,
  ref: string,
  commitSha: string,
  options: CheckpointOptions,
  saved: Pick<SavedFiles, 'embedded' | 'skipped'>,
): Promise<Checkpoint> {
  const format = '--format=%P%n%(trailers:key=Makima-Branch,valueonly)';
  const shown = await git(['show', '--no-patch', format, '--end-of-options', commitSha], {
    gitDir: store.dir,
  });
  const [parents = '', branch = ''] = shown.stdout.split('\n');
  const baseSha = await publicBase(store, options.baseSha);
  return {
    ref,
    commitSha,
    parentSha: parents.split(' ')[0] ?? '',
    baseSha,
    branchName: branch.trim() || 'detached',
    ...(await countChanges(store, options.baseSha, commitSha)),
    patch: await makePatch(store, baseSha, commitSha, options.patchMaxBytes ?? patchMaxBytes),
    embedded: saved.embedded,
    skipped: saved.skipped,
  };
}

/** gzip of `git diff --binary`, or null above the cap: half a patch restores nothing. */
export async function makePatch(
  store: Store,
  from: string,
  to: string,
  maxBytes: number,
): Promise<Buffer | null> {
  const args = ['diff-tree', '-r', '-p', '--binary', '--full-index', '--no-renames'];
  const safe = ['--no-ext-diff', '--no-textconv', '--no-color', '--end-of-options', from, to];
  const run = { gitDir: store.dir, maxBytes, truncate: true } as const;
  const { bytes, truncated } = await git([...args, ...safe], run);
  return truncated ? null : promisify(gzip)(bytes);
}
