/**
 * What differs between a tree and the files on disk, seen through a git directory of ours: changed,
 * deleted and new files, and directories that hold a repository of their own.
 *
 * Law: nothing in an embedded repository is asked of git there; it is walked as plain files with our own
 * configuration. Paths are bytes: they travel as latin1 strings and are shown as UTF-8.
 *
 * export listChanges(run, treeish | null): Promise<Changes>     leaves the index of `run` at that tree
 * export showPath(rawPath): string
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailure, refuse } from './failure.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';

export interface WorkChange {
  /** For people and JSON; not UTF-8 becomes a replacement character. */
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted';
}

export interface RawChange {
  readonly raw: string;
  readonly change: WorkChange['change'];
}

export interface Embedded {
  readonly path: string;
  readonly raw: string;
  /** A submodule that the tree records on purpose: its content belongs elsewhere and is not listed. */
  readonly isSubmodule: boolean;
  /** The tree holds a bare pointer here that has to make way for the files. */
  readonly replacesPointer: boolean;
}

export interface Changes {
  readonly changes: readonly WorkChange[];
  readonly raw: readonly RawChange[];
  readonly embedded: readonly Embedded[];
}

const pathsMax = 200_000;
const nestingMax = 5;

export async function listChanges(run: GitOptions, treeish: string | null): Promise<Changes> {
  await loadIndex(run, treeish);
  const tracked = await git(
    ['diff-files', '-z', '--name-status', '--no-renames', '--ignore-submodules=all'],
    run,
  );
  const raw: RawChange[] = [];
  const fields = split(tracked.bytes);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    raw.push({ raw: fields[i + 1] ?? '', change: fields[i] === 'D' ? 'deleted' : 'modified' });
  }
  const pointers = await findPointers(run);
  raw.push(...pointers.gone.map((path) => ({ raw: path, change: 'deleted' as const })));
  const fresh = split((await git(['ls-files', '-z', '-o', '--exclude-standard'], run)).bytes);
  const nested = fresh.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1));
  raw.push(...fresh.filter((path) => !path.endsWith('/')).map(added));
  const embedded = [...pointers.embedded, ...nested.map(asEmbedded)];
  for (const found of embedded) {
    if (!found.isSubmodule) raw.push(...(await walkNested(run, found.raw, 1)).map(added));
  }
  if (raw.length > pathsMax) {
    throw refuse(
      'too_large',
      `More than ${pathsMax} files differ in the working directory`,
      'Name generated directories in .gitignore',
    );
  }
  return { changes: raw.map((r) => ({ path: showPath(r.raw), change: r.change })), raw, embedded };
}

export function showPath(raw: string): string {
  return Buffer.from(raw, 'latin1').toString('utf8').replaceAll('\0', '');
}

function added(raw: string): RawChange {
  return { raw, change: 'added' };
}

function asEmbedded(raw: string): Embedded {
  return { path: showPath(raw), raw, isSubmodule: false, replacesPointer: false };
}

/** An index that a crash left unreadable is built anew: it is only a cache. */
async function loadIndex(run: GitOptions, treeish: string | null): Promise<void> {
  const load = ['read-tree', ...(treeish === null ? ['--empty'] : ['--reset', treeish])];
  try {
    await git(load, run);
  } catch (error) {
    if (!(error instanceof GitFailure) || error.ending !== 'exit') throw error;
    await git(['read-tree', '--empty'], run);
    await git(load, run);
  }
  await git(['update-index', '-q', '--really-refresh', '--ignore-submodules'], {
    ...run,
    okCodes: [0, 1],
  });
}

/** Pointers to other repositories in the tree: gone, left empty, a submodule, or an agent's `git add sub`. */
async function findPointers(run: GitOptions): Promise<{ gone: string[]; embedded: Embedded[] }> {
  const root = run.workTree ?? '/';
  const listed = split((await git(['ls-files', '-z', '-s'], run)).bytes);
  const gone: string[] = [];
  const embedded: Embedded[] = [];
  const names = listed.filter((line) => line.startsWith('160000 '));
  const submodules = names.length === 0 ? new Set<string>() : await readSubmodulePaths(run);
  for (const line of names) {
    const raw = line.slice(line.indexOf('\t') + 1);
    const path = Buffer.from(`${root}/${Buffer.from(raw, 'latin1').toString('utf8')}`);
    const found = await lstat(path).catch(() => null);
    if (found === null || !found.isDirectory()) gone.push(raw);
    else if ((await kindOf(join(root, showPath(raw), '.git'))) !== 'missing') {
      const isSubmodule = submodules.has(raw);
      embedded.push({ path: showPath(raw), raw, isSubmodule, replacesPointer: !isSubmodule });
    }
  }
  return { gone, embedded };
}

/** Paths that .gitmodules of the tree names; the file is parsed by git as data, nothing of it is used. */
async function readSubmodulePaths(run: GitOptions): Promise<Set<string>> {
  const args = [
    'config',
    '--blob',
    ':.gitmodules',
    '-z',
    '--get-regexp',
    '^submodule\\..*\\.path$',
  ];
  const found = await git(args, { ...run, okCodes: [0, 1, 128] });
  if (found.exitCode !== 0) return new Set();
  return new Set(split(found.bytes).map((entry) => entry.slice(entry.indexOf('\n') + 1)));
}

/** The files of an embedded repository, by its own .gitignore, with an index that does not exist. */
async function walkNested(run: GitOptions, raw: string, depth: number): Promise<string[]> {
  if (depth > nestingMax) return [];
  const directory = join(run.workTree ?? '/', showPath(raw));
  if ((await kindOf(directory)) !== 'directory') return [];
  const { bytes } = await git(['ls-files', '-z', '-o', '--exclude-standard'], {
    ...run,
    workTree: directory,
    env: { ...run.env, GIT_INDEX_FILE: join(run.gitDir ?? '/', 'no-index') },
  });
  const files: string[] = [];
  for (const path of split(bytes)) {
    if (path.endsWith('/'))
      files.push(...(await walkNested(run, `${raw}/${path.slice(0, -1)}`, depth + 1)));
    else files.push(`${raw}/${path}`);
  }
  return files;
}

function split(bytes: Buffer): string[] {
  return bytes
    .toString('latin1')
    .split('\0')
    .filter((field) => field !== '');
}
