/**
 * A task's working directory: a repository of its own that borrows the store's objects, checked out on
 * the task's branch.
 *
 * Law: built aside and renamed, so that a directory that exists is whole; git runs in it only while no
 * agent has ever touched it; called again it answers what is there; nothing of the repository executes
 * (no hooks, no filters: LFS pointers stay pointers); a directory that is not ours is refused.
 *
 * export prepareWorkdir(options: PrepareOptions): Promise<Prepared>
 * export standingWorkdir(workdir): Promise<Prepared | null>   what is there, for whoever goes on
 * export removeWorkdir(workdir): Promise<void>        keeps nothing: see keep.ts first
 */
import { chmod, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { clearAgentLocks } from './agent-locks.ts';
import { findCaseClash } from './case-clash.ts';
import { oneLine } from './commit.ts';
import type { Identity } from './commit.ts';
import { copyFiles, excludeLines } from './copy-files.ts';
import type { CopyReport } from './copy-files.ts';
import { refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertNewBranch } from './names.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';
import { ensureShadow, inspectGitDir, readRecord, workdirAt, writeRecord } from './shadow.ts';
import type { Workdir } from './shadow.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

/** Where the files come from. */
export type WorkStart =
  /** HEAD at a branch, tag or commit of the store, clean. */
  | { readonly kind: 'commit'; readonly ref: string }
  /** HEAD at the checkpoint's parent, the files as the checkpoint has them, uncommitted. */
  | { readonly kind: 'checkpoint'; readonly sha: string }
  /** HEAD at the base, the patch (gzip of a git patch) applied, uncommitted. */
  | { readonly kind: 'patch'; readonly baseSha: string; readonly patch: Buffer };

export interface PrepareOptions {
  readonly store: Store;
  /** Absolute; made when missing. */
  readonly dir: string;
  readonly branch: string;
  readonly start: WorkStart;
  readonly identity: Identity;
  /** Paths relative to `from`, a person's checkout. */
  readonly copy?: { readonly from: string; readonly paths: readonly string[] };
}

export interface Prepared {
  readonly workdir: Workdir;
  /** False when the directory was there already: branch and files are as they were left. */
  readonly created: boolean;
  readonly branch: string;
  /** Where the branch started. */
  readonly startSha: string;
  readonly copied: CopyReport;
}

const patchMaxBytes = 64 * 1024 * 1024;
const zero = (sha: string): string => '0'.repeat(sha.length);

export async function prepareWorkdir(options: PrepareOptions): Promise<Prepared> {
  assertNewBranch(options.branch);
  const workdir = workdirAt(options.store, options.dir);
  return withRepoLock(workdir.shadowDir, async () => {
    const existing = await reuse(workdir);
    if (existing !== null) return existing;
    await assertRoom(workdir.dir);
    const aside = `${workdir.dir}.partial`;
    await rm(aside, { recursive: true, force: true });
    const start = await resolveStart(options);
    await rm(workdir.shadowDir, { recursive: true, force: true });
    await ensureShadow(workdir);
    await initTaskRepository(aside, options);
    await checkOut(aside, start, options.branch);
    const copied = await copyInto(workdir, aside, options);
    const { ino } = await lstat(aside);
    const { branch } = options;
    await writeRecord(workdir, { dir: workdir.dir, branch, startSha: start.head, inode: ino });
    await rename(aside, workdir.dir);
    return { workdir, created: true, branch, startSha: start.head, copied };
  });
}

/** The directory as it was left; null when it is not there: then it must be prepared. */
export async function standingWorkdir(workdir: Workdir): Promise<Prepared | null> {
  return withRepoLock(workdir.shadowDir, () => reuse(workdir));
}

/** Directory and shadow. What is not on a ref of the store is gone after this. */
export async function removeWorkdir(workdir: Workdir): Promise<void> {
  await withRepoLock(workdir.shadowDir, async () => {
    if ((await kindOf(workdir.dir)) === 'directory') {
      await removeTree(workdir.dir);
    }
    await rm(`${workdir.dir}.partial`, { recursive: true, force: true });
    await rm(workdir.shadowDir, { recursive: true, force: true });
  });
}

/** Build tools leave directories without the right to write; they are ours to open again. */
async function removeTree(directory: string): Promise<void> {
  const remove = (): Promise<void> =>
    rm(directory, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async () => {
    await openUp(directory);
    await remove();
  });
}

async function openUp(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(directory, entry.name));
  }
}

async function reuse(workdir: Workdir): Promise<Prepared | null> {
  const record = await readRecord(workdir);
  if (record === null || (await kindOf(workdir.dir)) !== 'directory') return null;
  await inspectGitDir(workdir);
  await clearAgentLocks(join(workdir.dir, '.git'));
  const copied = { copied: [], notCopied: [] };
  return { workdir, created: false, branch: record.branch, startSha: record.startSha, copied };
}

/** The place must be free, and must really be where its name says. */
async function assertRoom(dir: string): Promise<void> {
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  if ((await kindOf(dirname(dir))) !== 'directory') {
    throw refuse('directory_unsafe', 'The place for the working directory is behind a link');
  }
  const kind = await kindOf(dir);
  if (kind === 'missing') return;
  if (kind !== 'directory') {
    throw refuse('directory_unsafe', 'The working directory is a link or a file', 'Remove it');
  }
  if ((await readdir(dir)).length > 0) {
    throw refuse(
      'directory_taken',
      'The working directory holds files that makima did not put there',
      'Move them away, or give another directory',
    );
  }
}

interface Start {
  /** HEAD of the branch. */
  readonly head: string;
  /** The commit whose files are checked out. */
  readonly files: string;
  readonly patch: Buffer | null;
}

async function resolveStart(options: PrepareOptions): Promise<Start> {
  const { start, store } = options;
  const wanted =
    start.kind === 'commit' ? start.ref : start.kind === 'checkpoint' ? start.sha : start.baseSha;
  const files = await resolveCommit(store, wanted);
  if (files === null) {
    throw refuse(
      'base_missing',
      'The commit to start from is not in the store',
      'Refresh the store; a base that only another machine has must be sent as a patch',
    );
  }
  await assertNoClash(store, files);
  if (start.kind !== 'checkpoint') {
    return { head: files, files, patch: start.kind === 'patch' ? await unzip(start.patch) : null };
  }
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${files}^1`];
  const parent = await git(args, { gitDir: store.dir, okCodes: [0, 1, 128] });
  return { head: parent.stdout.trim() || files, files, patch: null };
}

async function unzip(patch: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(patch, { maxOutputLength: patchMaxBytes });
  } catch (error) {
    throw refuse('patch_refused', 'The patch is damaged or too large', undefined, {
      cause: error instanceof Error ? error.message : 'unknown',
    });
  }
}

export async function assertNoClash(store: Store, sha: string): Promise<void> {
  const listed = await git(['ls-tree', '-r', '-z', '--full-tree', sha], {
    gitDir: store.dir,
    maxBytes: 512 * 1024 * 1024,
  });
  const entries = listed.stdout
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => ({ mode: line.slice(0, 6), path: line.slice(line.indexOf('\t') + 1) }));
  const foldsCase = (await kindOf(join(store.dir, 'head'))) !== 'missing';
  const clash = findCaseClash(entries, { foldsCase });
  if (clash === null) return;
  throw refuse(
    'case_clash',
    'The repository holds paths that differ only in upper and lower case',
    'Rename one of them',
    { path: clash },
  );
}

/** Our settings only: who commits, and that nothing an agent did is ever pruned. */
async function initTaskRepository(aside: string, options: PrepareOptions): Promise<void> {
  await git(['init', '--quiet', '--template=', '--', aside]);
  const gitDir = join(aside, '.git');
  await mkdir(join(gitDir, 'info'), { recursive: true });
  await mkdir(join(gitDir, 'objects/info'), { recursive: true });
  const objects = join(options.store.dir, 'objects');
  await writeFile(join(gitDir, 'objects/info/alternates'), `${objects}\n`);
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const settings = [
    '[user]',
    `\tname = ${quoted(oneLine(options.identity.name) || 'makima')}`,
    `\temail = ${quoted(oneLine(options.identity.email) || 'makima@localhost')}`,
    '[gc]',
    '\tauto = 0',
    '\tpruneExpire = never',
    '\treflogExpire = never',
    '\treflogExpireUnreachable = never',
    '',
  ];
  await writeFile(join(gitDir, 'config'), settings.join('\n'), { flag: 'a' });
}

async function checkOut(aside: string, start: Start, branch: string): Promise<void> {
  const run: GitOptions = { gitDir: join(aside, '.git'), workTree: aside, timeoutMs: 300_000 };
  await git(['symbolic-ref', '--', 'HEAD', `refs/heads/${branch}`], run);
  const made = ['update-ref', '-m', 'makima: task started', '--', 'HEAD', start.head];
  await git([...made, zero(start.head)], run);
  await git(['read-tree', '--reset', '-u', '--no-recurse-submodules', start.files], run);
  if (start.patch !== null && start.patch.length > 0) await applyPatch(run, start.patch);
  if (start.patch !== null || start.files !== start.head) {
    await git(['read-tree', '--reset', start.head], run);
    await git(['update-index', '-q', '--refresh'], { ...run, okCodes: [0, 1] });
  }
}

/** Into the index first: git refuses paths that climb, pass through links or reach into `.git`. */
async function applyPatch(run: GitOptions, patch: Buffer): Promise<void> {
  try {
    const args = ['apply', '--index', '--binary', '--whitespace=nowarn', '-'];
    await git(args, { ...run, input: patch });
  } catch (error) {
    throw refuse('patch_refused', 'The patch does not apply to its base', undefined, {
      cause: error instanceof Error ? error.message : 'unknown',
    });
  }
}

/** Copied files must not end in a commit or in a patch that travels: both exclude lists name them. */
async function copyInto(
  workdir: Workdir,
  aside: string,
  options: PrepareOptions,
): Promise<CopyReport> {
  if (options.copy === undefined) return { copied: [], notCopied: [] };
  const report = await copyFiles(options.copy.from, aside, options.copy.paths);
  const lines = excludeLines(report.copied);
  await writeFile(join(aside, '.git/info/exclude'), lines);
  await writeFile(join(workdir.shadowDir, 'info/exclude'), lines);
  return report;
}
