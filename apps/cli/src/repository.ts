/**
 * What `--repo` means: a URL that a daemon clones, or a folder that must be a git repository with a commit.
 *
 * Why: an agent that finds nothing to work in fails minutes later and far away from whoever typed the path.
 * Law: git is only asked where things are and what is uncommitted; nothing in the repository is run or changed.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Io } from './io.ts';
import { usageError } from './print-error.ts';

export type RepositoryInput = { localPath: string } | { repositoryUrl: string };

/** Where a path is looked for. */
export type Place = Pick<Io, 'env' | 'cwd'>;

const execute = promisify(execFile);
const timeoutMs = 10_000;

/** `https://…`, `ssh://…`, `git@host:path`; a path never looks like these. */
const remote = /^(?:(?:https?|ssh|git|file):\/\/|[\w.-]+@[\w.-]+:)/i;

/** `base`: the branch to begin from. `sameMachine`: the server's daemon sees the same files as we do, so what is wrong here is wrong there. */
export async function readRepository(
  io: Place,
  given: string,
  options: { sameMachine: boolean; base?: string | undefined },
): Promise<RepositoryInput> {
  if (remote.test(given)) return { repositoryUrl: given };
  const home = io.env['HOME'];
  const path =
    home !== undefined && /^~(\/|$)/.test(given) ? home + given.slice(1) : resolve(io.cwd, given);
  if (!existsSync(path)) {
    if (!options.sameMachine) return { localPath: path };
    throw usageError(
      `${path} does not exist`,
      'give the folder of a git repository: --repo <path>',
    );
  }
  const top = await topLevel(io, path);
  const head = await git(io, top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (!head.ok)
    throw usageError(
      `${top} has no commit yet`,
      `git -C ${quoted(top)} add -A && git -C ${quoted(top)} commit -m "first commit"`,
    );
  if (options.base !== undefined && options.sameMachine) await requireBase(io, top, options.base);
  return { localPath: top };
}

/** A branch or a tag of this very repository, or a commit by its whole name: what a daemon can begin from. */
async function requireBase(io: Place, top: string, base: string): Promise<void> {
  const commit = /^[0-9a-f]{40}([0-9a-f]{24})?$/i.test(base);
  const refs =
    commit || base.startsWith('refs/') ? [base] : [`refs/heads/${base}`, `refs/tags/${base}`];
  for (const ref of refs) {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
    if ((await git(io, top, args)).ok) return;
  }
  const { text } = await git(io, top, ['for-each-ref', '--format=%(refname:short)', 'refs/heads']);
  const branches = text.split('\n').filter((name) => name !== '' && !name.startsWith('makima/'));
  throw usageError(
    `${top} has no branch '${base}'`,
    `--base <branch>, or git -C ${quoted(top)} branch ${quoted(base)}   makes it`,
    branches.slice(0, 10),
  );
}

/** How many files are not as they were committed; 0 where nobody can tell. */
export async function uncommittedFiles(io: Place, path: string): Promise<number> {
  const args = ['-c', 'core.fsmonitor=false', '--no-optional-locks', 'status', '--porcelain'];
  const { ok, text } = await git(io, path, [...args, '--ignore-submodules=all']);
  return ok && text !== '' ? text.split('\n').length : 0;
}

/** The top of the working tree that the path lies in; a bare repository is its own top. */
async function topLevel(io: Place, path: string): Promise<string> {
  const top = await git(io, path, ['rev-parse', '--show-toplevel']);
  if (top.ok && top.text !== '') return top.text;
  const bare = await git(io, path, ['rev-parse', '--absolute-git-dir']);
  if (bare.ok) return bare.text;
  if (/dubious ownership/.test(bare.text)) {
    throw usageError(
      `git does not trust ${path}: it belongs to another user`,
      `git config --global --add safe.directory ${quoted(path)}`,
    );
  }
  throw usageError(
    `${path} is not a git repository`,
    `git init ${quoted(path)}   and commit something, or give another folder: --repo <path>`,
  );
}

async function git(
  io: Place,
  path: string,
  args: readonly string[],
): Promise<{ ok: boolean; text: string }> {
  // A GIT_DIR of the caller's shell would send git to another repository than the one that was named.
  const env = Object.fromEntries(
    Object.entries(io.env).filter(
      ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name),
    ),
  );
  try {
    const { stdout } = await execute('git', ['-C', path, ...args], {
      env: { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' },
      timeout: timeoutMs,
    });
    return { ok: true, text: stdout.trim() };
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw usageError('git is not installed', 'apt-get install git');
    return { ok: false, text: stderr ?? '' };
  }
}

/** As a shell takes it. */
export function quoted(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
