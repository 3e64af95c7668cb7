/**
 * One lock per repository: a queue inside this process and a lock file against other processes.
 *
 * Law: the file names its owner by pid and start time and appears with its contents; a dead owner's lock
 * is cleared by whoever holds the break mutex, after what it left running has been ended. Locks are taken
 * in the order working directory, then store, never the other way, and never twice by the same work: a
 * lock held is not given again.
 *
 * export withRepoLock<T>(gitDir, work: (lock: { takenOver: boolean }) => Promise<T>, options?: { waitMs? }): Promise<T>
 * export clearStaleLocks(gitDir): Promise<string[]>   removes git's own *.lock files; only under the lock
 */
import {
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { refuse } from './failure.ts';
import { endChildrenOf, isAlive, processMark } from './process-mark.ts';

export interface RepoLock {
  /** The former owner died holding it: git's own lock files under it are stale. */
  readonly takenOver: boolean;
}

const defaultWaitMs = 120_000;
const breakMutexMaxAgeMs = 10_000;
const queues = new Map<string, Promise<unknown>>();

export async function withRepoLock<T>(
  gitDir: string,
  work: (lock: RepoLock) => Promise<T>,
  options: { readonly waitMs?: number } = {},
): Promise<T> {
  const former = queues.get(gitDir) ?? Promise.resolve();
  const turn = former.then(() => locked(gitDir, work, options.waitMs ?? defaultWaitMs));
  const quiet = turn.catch(() => undefined);
  queues.set(gitDir, quiet);
  try {
    return await turn;
  } finally {
    if (queues.get(gitDir) === quiet) queues.delete(gitDir);
  }
}

async function locked<T>(
  gitDir: string,
  work: (lock: RepoLock) => Promise<T>,
  waitMs: number,
): Promise<T> {
  const file = `${gitDir}.lock`;
  const takenOver = await acquire(file, waitMs);
  try {
    if (takenOver) await clearStaleLocks(gitDir);
    return await work({ takenOver });
  } catch (error) {
    // A git that was killed leaves its lock files: nobody else may work here, so they are ours to remove.
    await clearStaleLocks(gitDir);
    throw error;
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

async function acquire(file: string, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  let takenOver = false;
  for (;;) {
    if (await tryCreate(file)) return takenOver;
    const owner = await readFile(file, 'utf8').catch(() => null);
    const isDead = owner !== null && !isAlive(owner);
    if (isDead && (await breakDead(file))) {
      takenOver = true;
      continue;
    }
    if (performance.now() > deadline) {
      throw refuse(
        'lock_timeout',
        'Another process works on this repository and did not finish in time',
        'Try again later; if no daemon runs on this home, the lock clears itself at the next try',
      );
    }
    await delay(25);
  }
}

/** A lock that exists has its contents: written aside first, then linked under its name. */
async function tryCreate(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true });
  const aside = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(aside, processMark(), { mode: 0o600 });
  try {
    await link(aside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Only the holder of the mutex may remove a lock that is not its own, and it looks again first. */
async function breakDead(file: string): Promise<boolean> {
  const mutex = `${file}.break`;
  try {
    await mkdir(mutex);
  } catch {
    const age = await stat(mutex).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > breakMutexMaxAgeMs) await rmdir(mutex).catch(() => undefined);
    await delay(10);
    return false;
  }
  try {
    const owner = await readFile(file, 'utf8').catch(() => null);
    if (owner === null || isAlive(owner)) return false;
    if (endChildrenOf(owner) > 0) await delay(50);
    await unlink(file);
    return true;
  } finally {
    await rmdir(mutex).catch(() => undefined);
  }
}

/** git's lock files in a directory of which we hold the lock have no living owner. */
export async function clearStaleLocks(gitDir: string): Promise<string[]> {
  const stale = await findLocks(gitDir, 0);
  for (const path of stale) await rm(path, { force: true });
  return stale;
}

/** Objects have no locks of their own but those of their two registers. */
async function findLocks(directory: string, depth: number): Promise<string[]> {
  if (depth > 16) return [];
  const found: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name);
    if (entry.isFile() && entry.name.endsWith('.lock')) found.push(path);
    if (!entry.isDirectory() || /\/objects\/[0-9a-f]{2}$/.test(path)) continue;
    found.push(...(await findLocks(path, depth + 1)));
  }
  return found;
}
