/**
 * Lock files that a killed agent left in its own `.git`: they would stop the next one at its first commit.
 *
 * Law: only lock files that nobody has open and that have stood for a moment are removed; called while no
 * agent is meant to run there.
 *
 * export clearAgentLocks(gitDir): Promise<string[]>
 */
import { lstat, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const minAgeMs = 1_000;

export async function clearAgentLocks(gitDir: string): Promise<string[]> {
  const found = await findLocks(gitDir);
  if (found.length === 0) return [];
  await delay(await remainingMs(found));
  const open = await openFiles();
  const stale: string[] = [];
  for (const path of found) {
    if (open.has(path)) continue;
    await rm(path, { force: true });
    stale.push(path);
  }
  return stale;
}

/** Real directories only, and not among the objects. */
async function findLocks(directory: string, depth = 0): Promise<string[]> {
  if (depth > 12) return [];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isFile() && entry.name.endsWith('.lock')) found.push(path);
    if (entry.isDirectory() && entry.name !== 'objects')
      found.push(...(await findLocks(path, depth + 1)));
  }
  return found;
}

async function remainingMs(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        (found) => found.mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.min(minAgeMs, Math.max(0, minAgeMs - (Date.now() - Math.max(...times))));
}

/** Every file that some process has open, as far as we may see; empty where there is no /proc. */
async function openFiles(): Promise<Set<string>> {
  const open = new Set<string>();
  const pids = (await readdir('/proc').catch(() => [] as string[])).filter((name) =>
    /^\d+$/.test(name),
  );
  for (const pid of pids) {
    const directory = `/proc/${pid}/fd`;
    for (const fd of await readdir(directory).catch(() => [] as string[])) {
      const target = await readlink(join(directory, fd)).catch(() => '');
      if (target.endsWith('.lock')) open.add(target);
    }
  }
  return open;
}
