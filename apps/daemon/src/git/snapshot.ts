/**
 * The files on disk as a tree in the store: everything, untracked files included, `.gitignore` respected,
 * the agent's index and branch untouched.
 *
 * Law: what cannot be saved is named in the answer, never dropped in silence; a whole that is too large
 * fails loudly.
 *
 * export snapshotTree(workdir, treeish | null, limits?): Promise<Snapshot>     under the shadow's lock
 */
import { lstat } from 'node:fs/promises';
import { listChanges, showPath } from './changes.ts';
import type { Changes, RawChange } from './changes.ts';
import { GitFailure, refuse } from './failure.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';
import { snapshotRun } from './shadow.ts';
import type { Workdir } from './shadow.ts';

export interface SnapshotLimits {
  readonly fileMaxBytes?: number;
  readonly totalMaxBytes?: number;
  /** Of each git run over the files: a pipe in place of a .gitignore would make it wait for ever. */
  readonly timeoutMs?: number;
}

export interface Skipped {
  readonly path: string;
  readonly reason: 'too_large' | 'not_a_file' | 'unreadable';
}

export interface EmbeddedReport {
  readonly path: string;
  /** False for a submodule: its content belongs to another repository. */
  readonly saved: boolean;
}

export interface Snapshot {
  readonly tree: string;
  readonly embedded: readonly EmbeddedReport[];
  readonly skipped: readonly Skipped[];
}

const fileMaxBytes = 256 * 1024 * 1024;
const totalMaxBytes = 2 * 1024 * 1024 * 1024;
const retriesMax = 50;

/** `treeish` is what the index starts from: ignored files that it holds stay in. It must be in the store. */
export async function snapshotTree(
  workdir: Workdir,
  treeish: string | null,
  limits: SnapshotLimits = {},
): Promise<Snapshot> {
  const run = snapshotRun(workdir, limits);
  const found = await listChanges(run, treeish);
  const skipped: Skipped[] = [];
  const present = await weigh(workdir, found, limits, skipped);
  const removed = found.raw.filter((entry) => entry.change === 'deleted').map((entry) => entry.raw);
  removed.push(
    ...found.embedded.filter((entry) => entry.replacesPointer).map((entry) => entry.raw),
  );
  await feed(run, ['--force-remove'], removed);
  await addAll(run, present, skipped);
  const tree = (await git(['write-tree'], run)).stdout.trim();
  const embedded = found.embedded.map((e) => ({ path: e.path, saved: !e.isSubmodule }));
  return { tree, embedded, skipped };
}

/** Sizes before hashing: a sparse giant must not be read to find out that it is one. */
async function weigh(
  workdir: Workdir,
  found: Changes,
  limits: SnapshotLimits,
  skipped: Skipped[],
): Promise<string[]> {
  const present: string[] = [];
  let total = 0;
  for (const entry of found.raw) {
    if (entry.change === 'deleted') continue;
    const verdict = await look(workdir, entry, limits.fileMaxBytes ?? fileMaxBytes);
    if (typeof verdict === 'string') {
      skipped.push({ path: showPath(entry.raw), reason: verdict });
      continue;
    }
    total += verdict;
    present.push(entry.raw);
  }
  if (total > (limits.totalMaxBytes ?? totalMaxBytes)) {
    throw refuse(
      'too_large',
      'The changed files of the working directory are too large to be saved',
      'Name large generated files in .gitignore',
    );
  }
  return present;
}

async function look(
  workdir: Workdir,
  entry: RawChange,
  maxBytes: number,
): Promise<number | Skipped['reason']> {
  const path = Buffer.concat([Buffer.from(`${workdir.dir}/`), Buffer.from(entry.raw, 'latin1')]);
  const found = await lstat(path).catch(() => null);
  // Gone since it was listed: `--remove` takes it out of the index.
  if (found === null) return 0;
  if (!found.isFile() && !found.isSymbolicLink()) return 'not_a_file';
  return found.size > maxBytes ? 'too_large' : found.size;
}

/** One file that git cannot read does not cost the others: it is named and left out. */
async function addAll(
  run: GitOptions,
  paths: readonly string[],
  skipped: Skipped[],
): Promise<void> {
  let rest = [...paths];
  const failed = new Set<string>();
  for (let attempt = 0; ; attempt += 1) {
    try {
      await feed(run, ['--add', '--remove', '--replace'], rest);
      return;
    } catch (error) {
      const bad = error instanceof GitFailure ? unreadablePath(error, rest) : null;
      if (bad === null || attempt >= retriesMax) throw error;
      // Somebody may have been writing it just then: it gets a second chance.
      rest = rest.filter((path) => path !== bad);
      if (failed.has(bad)) skipped.push({ path: showPath(bad), reason: 'unreadable' });
      else rest.push(bad);
      failed.add(bad);
    }
  }
}

function unreadablePath(error: GitFailure, paths: readonly string[]): string | null {
  const named = /Unable to process path (.*)/.exec(error.stderr)?.[1];
  if (named === undefined) return null;
  // git shows control characters as question marks.
  const asShown = (path: string): string => showPath(path).replaceAll(/(?![\t\n])\p{Cc}/gu, '?');
  return paths.find((path) => asShown(path).split('\n')[0] === named) ?? null;
}

async function feed(run: GitOptions, flags: string[], paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const input = Buffer.from(`${paths.join('\0')}\0`, 'latin1');
  await git(['update-index', ...flags, '-z', '--stdin'], { ...run, input });
}
