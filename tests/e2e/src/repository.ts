// Small git repositories of a test's own, as a person has them: a checkout on `main` with a clean tree.
// Law: git runs without the configuration of whoever runs the tests.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@localhost',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@localhost',
};

/** Runs git in a repository. @throws with git's words. */
export function git(dir: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8', env, stdio: 'pipe' }).trim();
}

/** A repository with these files in one commit. */
export function makeRepository(
  dir: string,
  files: Readonly<Record<string, string>> = { 'README.md': '# A small house\n' },
): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  git(dir, 'init', '--quiet', '--initial-branch=main');
  git(dir, 'add', '--all');
  git(dir, 'commit', '--quiet', '--message', 'Begin');
  return dir;
}

/** All that a person would notice of their checkout: head, branch, index, tree, stashes, hooks. */
export function stateOf(dir: string): string {
  return [
    git(dir, 'rev-parse', 'HEAD'),
    git(dir, 'symbolic-ref', 'HEAD'),
    git(dir, 'status', '--porcelain=v2', '--untracked-files=all'),
    git(dir, 'write-tree'),
    git(dir, 'config', '--local', '--list'),
    git(dir, 'stash', 'list'),
    git(dir, 'worktree', 'list'),
  ].join('\n---\n');
}

/** Files on a branch below a folder. */
export function filesOn(dir: string, branch: string, below = ''): string[] {
  const out = git(
    dir,
    'ls-tree',
    '-r',
    '--name-only',
    branch,
    '--',
    ...(below === '' ? [] : [below]),
  );
  return out.split('\n').filter((line) => line !== '');
}
