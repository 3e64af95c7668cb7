/**
 * The files and the index of a person's checkout moved forward with their branch.
 *
 * Law: seen and done through a git directory of ours with their objects and their index, so that no
 * filter, hook or monitor of theirs runs; refused with a reason when anything is uncommitted, when filters
 * or a sparse checkout would make our files differ from what their git makes, or when their git is at work.
 *
 * export moveCheckout(store, place, workTree, from, to): Promise<Refused | null>     null: done, move the ref
 */
import { copyFile, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailure } from './failure.ts';
import type { RefusalReason } from './failure.ts';
import { locateGitDir } from './gitdir.ts';
import type { GitDirPlace } from './gitdir.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';
import { initBare } from './store.ts';
import type { Store } from './store.ts';

export interface Refused {
  readonly done: false;
  readonly reason: RefusalReason;
  readonly note: string;
}

export async function moveCheckout(
  store: Store,
  place: GitDirPlace,
  workTree: string,
  from: string,
  to: string,
): Promise<Refused | null> {
  const own = await locateGitDir(workTree);
  if (own === null || own.workTree === null || own.commonDir !== place.commonDir) {
    return no('checked_out', 'The base branch is checked out in a place that cannot be read');
  }
  if ((await kindOf(join(own.gitDir, 'info/sparse-checkout'))) !== 'missing') {
    return no('checked_out', 'The checkout of the base branch is sparse: update it by hand');
  }
  if ((await kindOf(join(own.gitDir, 'index.lock'))) !== 'missing') {
    return no('busy', 'git is at work in the checkout of the base branch: try again');
  }
  const room = await mkdtemp(join(await realpath(store.home), 'deliver-'));
  try {
    const gitDir = join(room, 'shadow.git');
    await initBare(gitDir);
    const env = { GIT_OBJECT_DIRECTORY: join(place.commonDir, 'objects') };
    return await moveThrough({ gitDir, workTree: own.workTree, env }, own, room, from, to);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

async function moveThrough(
  run: GitOptions,
  own: GitDirPlace,
  room: string,
  from: string,
  to: string,
): Promise<Refused | null> {
  if (await usesFilters(run, from, to)) {
    return no(
      'checked_out',
      'The repository uses filters (such as LFS): update the base branch by hand',
    );
  }
  const copy = join(room, 'index');
  await copyFile(join(own.gitDir, 'index'), copy);
  const looking: GitOptions = { ...run, env: { ...run.env, GIT_INDEX_FILE: copy } };
  const clean = await isClean(looking, from).catch((error: unknown) => {
    if (error instanceof GitFailure && error.ending === 'exit') return null;
    throw error;
  });
  if (clean === null) {
    return no(
      'checked_out',
      'The index of the checkout is of a kind that only its own git can update',
    );
  }
  if (!clean) {
    return no(
      'dirty',
      'The checkout of the base branch has uncommitted changes: commit or stash them',
    );
  }
  const theirs = { ...run, env: { ...run.env, GIT_INDEX_FILE: join(own.gitDir, 'index') } };
  try {
    await git(['read-tree', '-m', '-u', '--no-recurse-submodules', from, to], theirs);
  } catch (error) {
    if (!(error instanceof GitFailure) || error.ending !== 'exit') throw error;
    return no(
      'dirty',
      'The checkout of the base branch could not be updated: files are in the way',
    );
  }
  return null;
}

/** Filters would have to run to make the files that their git expects; ours never run any. */
async function usesFilters(run: GitOptions, from: string, to: string): Promise<boolean> {
  for (const commit of [from, to]) {
    const args = ['grep', '-q', '-E', '-e', 'filter=|working-tree-encoding=', commit];
    const found = await git([...args, '--', ':(glob)**/.gitattributes'], {
      ...run,
      env: { ...run.env, GIT_LITERAL_PATHSPECS: '0' },
      okCodes: [0, 1],
    });
    if (found.exitCode === 0) return true;
  }
  return false;
}

/** Index equal to the commit, files equal to the index, no hidden bits. Untracked files are no obstacle. */
async function isClean(run: GitOptions, from: string): Promise<boolean> {
  const bits = await git(['ls-files', '-v', '-z'], { ...run, maxBytes: 256 * 1024 * 1024 });
  if (bits.stdout.split('\0').some((line) => /^[a-zS] /.test(line))) return false;
  await git(['update-index', '-q', '--refresh'], { ...run, okCodes: [0, 1] });
  const ignore = '--ignore-submodules=all';
  const staged = ['diff-index', '--cached', '--quiet', ignore, '--end-of-options', from];
  const files = ['diff-files', '--quiet', ignore];
  for (const args of [staged, files]) {
    if ((await git(args, { ...run, okCodes: [0, 1] })).exitCode !== 0) return false;
  }
  return true;
}

function no(reason: RefusalReason, note: string): Refused {
  return { done: false, reason, note };
}
