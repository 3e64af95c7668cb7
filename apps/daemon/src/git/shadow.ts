/**
 * The daemon's own git directory over an agent's working directory: how we look at uncommitted work
 * without running git with the agent's `.git`.
 *
 * Law: every git run here names the shadow as git directory and the store's objects as objects; the
 * agent's `.git` is data. A `.git` that is a link or a file, borrows foreign objects or cannot be read is
 * refused by name.
 *
 * export workdirAt(store, dir): Workdir                      plain data, no IO
 * export ensureShadow(workdir): Promise<void>
 * export inspectGitDir(workdir): Promise<AgentRepository>    refuses tricks
 * export readStatus(workdir): Promise<WorkdirStatus>
 * export snapshotRun(workdir, { timeoutMs? }?): GitOptions   git over the files, the store's objects
 */
import { createHash } from 'node:crypto';
import { lstat, readdir, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize } from 'node:path';
import { listChanges } from './changes.ts';
import type { WorkChange } from './changes.ts';
import { invalid, refuse } from './failure.ts';
import { readHead } from './gitdir.ts';
import type { GitDirPlace } from './gitdir.ts';
import { withRepoLock } from './lock.ts';
import { kindOf, readPlainFile } from './plain-file.ts';
import type { GitOptions } from './run.ts';
import { initBare } from './store.ts';
import type { Store } from './store.ts';

export interface Workdir {
  readonly store: Store;
  /** The agent's working directory. */
  readonly dir: string;
  /** The daemon's git directory over it. */
  readonly shadowDir: string;
}

export interface AgentRepository {
  readonly place: GitDirPlace;
  /** Full ref that HEAD stands on; null when detached. */
  readonly headRef: string | null;
  /** As the agent's files claim it; null when HEAD has no commit. */
  readonly headSha: string | null;
}

export interface WorkdirStatus {
  readonly headRef: string | null;
  readonly headSha: string | null;
  /** Files that differ from HEAD, untracked ones included, ignored ones not. */
  readonly dirty: readonly WorkChange[];
  /** Directories with a repository of their own. */
  readonly embedded: readonly string[];
}

export function workdirAt(store: Store, dir: string): Workdir {
  const path = assertDirectoryPath(dir);
  const id = createHash('sha256').update(path).digest('hex').slice(0, 32);
  return { store, dir: path, shadowDir: join(store.home, 'shadows', `${id}.git`) };
}

/** Absolute, plain, and nothing in it that could be read as an option. */
export function assertDirectoryPath(dir: string): string {
  const usable =
    typeof dir === 'string' &&
    isAbsolute(dir) &&
    !/\p{Cc}/u.test(dir) &&
    dir.length <= 1_024 &&
    normalize(dir) === dir &&
    !dir.endsWith('/') &&
    dir.split('/').every((part) => !part.startsWith('-')) &&
    basename(dir) !== '.git';
  if (!usable) throw invalid('dir', 'bad_directory', 'This is not a usable working directory');
  return dir;
}

export async function ensureShadow(workdir: Workdir): Promise<void> {
  if ((await kindOf(workdir.shadowDir)) === 'directory') return;
  await initBare(workdir.shadowDir);
}

export function snapshotRun(
  workdir: Workdir,
  options: { readonly timeoutMs?: number } = {},
): GitOptions {
  return {
    gitDir: workdir.shadowDir,
    workTree: workdir.dir,
    env: { GIT_OBJECT_DIRECTORY: join(workdir.store.dir, 'objects') },
    timeoutMs: options.timeoutMs ?? 180_000,
    maxBytes: 256 * 1024 * 1024,
  };
}

/** The same, with the agent's objects readable: for looking only, never for writing. */
function lookingRun(workdir: Workdir): GitOptions {
  const run = snapshotRun(workdir);
  const objects = join(workdir.dir, '.git/objects');
  return { ...run, env: { ...run.env, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects } };
}

export async function inspectGitDir(workdir: Workdir): Promise<AgentRepository> {
  await assertRealDirectory(workdir.dir);
  const gitDir = join(workdir.dir, '.git');
  const kind = await kindOf(gitDir);
  if (kind !== 'directory') {
    throw refuse(
      'git_dir_replaced',
      kind === 'missing'
        ? 'The .git of the working directory is gone'
        : 'The .git of the working directory was replaced by a link or a file',
      'The files can still be kept: keep the work, then prepare the directory again',
    );
  }
  const inner = await Promise.all(
    ['objects', 'refs', 'HEAD', 'commondir'].map((name) => kindOf(join(gitDir, name))),
  );
  if (inner[0] !== 'directory' || inner[1] !== 'directory' || inner[3] !== 'missing') {
    throw refuse('git_dir_replaced', 'Parts of the .git of the working directory were replaced');
  }
  await assertOwnObjects(workdir, join(gitDir, 'objects'));
  if (inner[2] !== 'file') {
    throw refuse('git_dir_unreadable', 'The .git of the working directory has no readable HEAD');
  }
  const place = { gitDir, commonDir: gitDir, workTree: workdir.dir };
  const head = await readHead(place);
  return { place, headRef: head.ref, headSha: head.sha };
}

export async function assertRealDirectory(dir: string): Promise<void> {
  const kind = await kindOf(dir);
  if (kind === 'directory') return;
  throw kind === 'missing'
    ? refuse('directory_missing', 'The working directory is gone', 'Prepare it again')
    : refuse('directory_unsafe', 'The working directory was replaced by something else');
}

/** Objects may come from the directory itself and from the store; borrowing any others is a trick. */
async function assertOwnObjects(workdir: Workdir, objects: string): Promise<void> {
  const foreign = refuse(
    'git_dir_foreign_objects',
    'The .git of the working directory borrows objects from elsewhere',
    'Remove the foreign line from .git/objects/info/alternates',
  );
  for (const entry of await readdir(objects, { withFileTypes: true })) {
    if (!entry.isDirectory() && !entry.isFile()) throw foreign;
  }
  const info = await kindOf(join(objects, 'info'));
  if (info === 'missing') return;
  const kind = await kindOf(join(objects, 'info/alternates'));
  if (kind === 'missing') return;
  const text = await readPlainFile(join(objects, 'info/alternates'), 4_096);
  const allowed = join(workdir.store.dir, 'objects');
  const lines = text?.toString('utf8').split('\n') ?? ['unreadable'];
  if (!lines.every((line) => line === '' || line === allowed)) throw foreign;
}

export async function readStatus(workdir: Workdir): Promise<WorkdirStatus> {
  const repository = await inspectGitDir(workdir);
  return withRepoLock(workdir.shadowDir, async () => {
    await ensureShadow(workdir);
    const found = await listChanges(lookingRun(workdir), repository.headSha);
    const { headRef, headSha } = repository;
    return { headRef, headSha, dirty: found.changes, embedded: found.embedded.map((e) => e.path) };
  });
}

export interface ShadowRecord {
  readonly dir: string;
  readonly branch: string;
  /** Where the branch started. */
  readonly startSha: string;
  /** Inode of the directory that we made: another directory under its name is not ours. */
  readonly inode: number;
}

const recordName = 'makima.json';

export async function writeRecord(workdir: Workdir, record: ShadowRecord): Promise<void> {
  await writeFile(join(workdir.shadowDir, recordName), JSON.stringify(record), { mode: 0o600 });
}

/** Null when there is none, or when the directory is not the one that it speaks of. */
export async function readRecord(workdir: Workdir): Promise<ShadowRecord | null> {
  const text = await readPlainFile(join(workdir.shadowDir, recordName), 16_384);
  if (text === null) return null;
  const found = await lstat(workdir.dir).catch(() => null);
  try {
    const record = JSON.parse(text.toString('utf8')) as ShadowRecord;
    return found !== null && found.ino === record.inode ? record : null;
  } catch {
    return null;
  }
}
