/**
 * A repository's `.git` read as data: where it is, what HEAD and the refs say, what the reflog remembers.
 * Why: running git there would run with a configuration that an agent (or a stranger) wrote.
 *
 * Law: reads only; whatever is not a plain file of a sane size does not exist; object ids are believed by
 * nobody until git has found the objects.
 *
 * export locateGitDir(path): Promise<GitDirPlace | null>
 * export readHead(place): Promise<{ ref: string | null, sha: string | null }>
 * export readRefs(place): Promise<Map<string, string>>           full ref name to object id
 * export readRememberedIds(place): Promise<string[]>              ids in the reflogs of HEAD and stash
 * export checkedOutBranches(place): Promise<Map<string, string>>  branch to the directory that has it
 */
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { kindOf, readPlainFile, readPlainTail } from './plain-file.ts';
import { isSha } from './names.ts';

export interface GitDirPlace {
  /** HEAD and index of this working directory. */
  readonly gitDir: string;
  /** Refs and objects; equal to gitDir but in a linked worktree. */
  readonly commonDir: string;
  /** Null for a bare repository. */
  readonly workTree: string | null;
}

const pointerMaxBytes = 4_096;
const packedMaxBytes = 32 * 1024 * 1024;
const reflogMaxBytes = 1024 * 1024;
const refsMax = 20_000;

/** Follows a `.git` file, as linked worktrees of people have it; never used on an agent's directory. */
export async function locateGitDir(path: string): Promise<GitDirPlace | null> {
  const root = await realpath(path).catch(() => null);
  if (root === null) return null;
  const dotGit = join(root, '.git');
  const kind = await kindOf(dotGit);
  if (kind === 'directory') return isGitDir(dotGit, dotGit, root);
  if (kind === 'file') {
    const target = /^gitdir: (.+)/.exec(await readText(dotGit))?.[1]?.trim();
    if (target === undefined) return null;
    const gitDir = await realpath(resolve(root, target)).catch(() => null);
    if (gitDir === null) return null;
    const common = (await readText(join(gitDir, 'commondir'))).trim();
    const commonDir =
      common === '' ? gitDir : await realpath(resolve(gitDir, common)).catch(() => '');
    return isGitDir(gitDir, commonDir, root);
  }
  return isGitDir(root, root, null);
}

async function isGitDir(
  gitDir: string,
  commonDir: string,
  workTree: string | null,
): Promise<GitDirPlace | null> {
  const parts = [join(gitDir, 'HEAD'), join(commonDir, 'objects'), join(commonDir, 'refs')];
  const kinds = await Promise.all(parts.map((part) => kindOf(part)));
  return kinds.includes('missing') ? null : { gitDir, commonDir, workTree };
}

export async function readHead(
  place: GitDirPlace,
): Promise<{ readonly ref: string | null; readonly sha: string | null }> {
  const text = (await readText(join(place.gitDir, 'HEAD'))).trim();
  const ref = /^ref: (refs\/\S+)$/.exec(text)?.[1];
  if (ref === undefined) return { ref: null, sha: isSha(text) ? text : null };
  return { ref, sha: (await readRefs(place)).get(ref) ?? null };
}

export async function readRefs(place: GitDirPlace): Promise<Map<string, string>> {
  const refs = new Map<string, string>();
  const packed = await readPlainFile(join(place.commonDir, 'packed-refs'), packedMaxBytes);
  for (const line of packed?.toString('utf8').split('\n') ?? []) {
    const [sha = '', name = ''] = line.split(' ');
    if (isSha(sha) && name.startsWith('refs/') && refs.size < refsMax) refs.set(name, sha);
  }
  await readLooseRefs(place.commonDir, 'refs', refs);
  return refs;
}

/** Walks real directories only: a link inside `refs` could lead anywhere. */
async function readLooseRefs(base: string, name: string, refs: Map<string, string>): Promise<void> {
  if (name.split('/').length > 32) return;
  const entries = await readdir(join(base, name), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const inner = `${name}/${entry.name}`;
    if (refs.size >= refsMax) return;
    if (entry.isDirectory()) await readLooseRefs(base, inner, refs);
    if (!entry.isFile() || entry.name.endsWith('.lock')) continue;
    const sha = (await readText(join(base, inner))).trim();
    if (isSha(sha)) refs.set(inner, sha);
  }
}

export async function readRememberedIds(place: GitDirPlace): Promise<string[]> {
  const ids = new Set<string>();
  for (const log of [join(place.gitDir, 'logs/HEAD'), join(place.commonDir, 'logs/refs/stash')]) {
    const text = (await readPlainTail(log, reflogMaxBytes))?.toString('utf8') ?? '';
    for (const line of text.split('\n')) {
      for (const id of line.split(' ', 2)) if (isSha(id) && !/^0+$/.test(id)) ids.add(id);
    }
  }
  return [...ids];
}

export async function checkedOutBranches(place: GitDirPlace): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const main = (await readHead({ ...place, gitDir: place.commonDir })).ref;
  if (main !== null) found.set(main, dirname(place.commonDir));
  const linked = join(place.commonDir, 'worktrees');
  for (const name of await readdir(linked).catch(() => [] as string[])) {
    const gitDir = join(linked, name);
    const head = (await readHead({ ...place, gitDir })).ref;
    const directory = dirname((await readText(join(gitDir, 'gitdir'))).trim());
    if (head !== null) found.set(head, directory);
  }
  return found;
}

async function readText(path: string): Promise<string> {
  return (await readPlainFile(path, pointerMaxBytes))?.toString('utf8') ?? '';
}
