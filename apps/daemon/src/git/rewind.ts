/**
 * A working directory taken back to a commit, in place: what is ignored there (dependencies, caches) stays.
 *
 * Law: everything that is there is kept on a ref first, whatever the caller wants preserved under a name;
 * the files move by our own git directory, the agent's `.git` gets a fresh index, a ref and a HEAD as
 * plain files; nothing of its configuration runs. Only while no agent runs there. Twice is once.
 *
 * export rewindWorkdir(workdir, options: RewindOptions): Promise<Rewound>
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { clearAgentLocks } from './agent-locks.ts';
import { GitFailure, invalid, refuse } from './failure.ts';
import { keepWorkdir } from './keep.ts';
import type { KeptWork } from './keep.ts';
import { withRepoLock } from './lock.ts';
import { assertBranch, assertNewBranch } from './names.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';
import { inspectGitDir, readRecord, snapshotRun } from './shadow.ts';
import type { Workdir } from './shadow.ts';
import { snapshotTree } from './snapshot.ts';
import { ensureBranch, resolveCommit } from './store.ts';
import { assertNoClash } from './workdir.ts';

export interface RewindOptions {
  readonly task: string;
  readonly attempt: number;
  /** Where the task's branch started. */
  readonly baseSha: string;
  /** Commit, ref or branch of the store to go back to; a checkpoint's is `checkpointRef(task, number)`. */
  readonly to: string;
  readonly preserve: 'discard' | 'create_branch' | 'stash';
  /** For `create_branch`: a new branch of the store. */
  readonly branchName?: string;
}

export interface Rewound {
  readonly headSha: string;
  /** What the caller asked to keep under a name; null when discarded or when there was nothing. */
  readonly preserved: { readonly type: 'branch' | 'stash'; readonly reference: string } | null;
  /** Every ref that holds what was there, also after `discard`. */
  readonly keptRefs: readonly string[];
}

export async function rewindWorkdir(workdir: Workdir, options: RewindOptions): Promise<Rewound> {
  assertBranchName(options);
  const { store } = workdir;
  const target = await resolveCommit(store, options.to);
  if (target === null) throw refuse('ref_missing', 'The commit to go back to is not in the store');
  await assertNoClash(store, target);
  const repository = await inspectGitDir(workdir);
  const branch = await branchToStand(workdir, repository.headRef);
  const kept = await keepWorkdir(workdir, { ...options, why: 'rewound' });
  const preserved = await preserve(workdir, options, kept);
  await withRepoLock(workdir.shadowDir, async () => {
    await moveFiles(workdir, kept.workSha, target);
    await moveAgentRepository(workdir, branch, target);
  });
  return { headSha: target, preserved, keptRefs: kept.refs };
}

/** The branch that the agent stands on, else the one that it was given. */
async function branchToStand(workdir: Workdir, headRef: string | null): Promise<string> {
  if (headRef?.startsWith('refs/heads/') === true) return assertBranch(headRef.slice(11));
  const record = await readRecord(workdir);
  if (record === null)
    throw refuse('directory_missing', 'The directory is not one that makima made');
  return record.branch;
}

/** Before anything moves. A branch that holds this very work is left from a former try. */
function assertBranchName(options: RewindOptions): void {
  if (options.preserve !== 'create_branch') return;
  if (options.branchName === undefined) {
    throw invalid('branchName', 'missing', 'A branch to preserve the work needs a name');
  }
  assertNewBranch(options.branchName);
}

function branchExists(): Error {
  return refuse('branch_exists', 'There is a branch of this name already', 'Give another name');
}

async function preserve(
  workdir: Workdir,
  options: RewindOptions,
  kept: KeptWork,
): Promise<Rewound['preserved']> {
  if (options.preserve === 'create_branch' && options.branchName !== undefined) {
    const made = await ensureBranch(workdir.store, options.branchName, kept.workSha);
    if (made.sha !== kept.workSha) throw branchExists();
    return { type: 'branch', reference: options.branchName };
  }
  if (options.preserve === 'discard' || kept.kept === null) return null;
  return { type: 'stash', reference: kept.kept.ref };
}

/** From the files as they are to those of the commit. What could not be saved is never overwritten. */
async function moveFiles(workdir: Workdir, from: string, target: string): Promise<void> {
  const run = snapshotRun(workdir);
  const now = await snapshotTree(workdir, from);
  try {
    await git(['read-tree', '-m', '-u', '--no-recurse-submodules', now.tree, target], run);
  } catch (error) {
    if (!(error instanceof GitFailure) || error.ending !== 'exit') throw error;
    throw refuse(
      'dirty',
      'Files that could not be saved stand in the way of going back',
      'Move them out of the working directory',
      { skipped: now.skipped.map((entry) => entry.path), stderr: error.stderr },
    );
  }
}

async function moveAgentRepository(workdir: Workdir, branch: string, sha: string): Promise<void> {
  const gitDir = join(workdir.dir, '.git');
  await clearAgentLocks(gitDir);
  // Removed first: git would follow a link in its place, and stumble over a damaged one.
  const index = join(gitDir, 'index');
  await rm(index, { recursive: true, force: true });
  const base = snapshotRun(workdir);
  const run: GitOptions = { ...base, env: { ...base.env, GIT_INDEX_FILE: index } };
  await git(['read-tree', sha], run);
  await git(['update-index', '-q', '--refresh'], { ...run, okCodes: [0, 1] });
  await writePlain(gitDir, `refs/heads/${branch}`, `${sha}\n`);
  await writePlain(gitDir, 'HEAD', `ref: refs/heads/${branch}\n`);
}

/** A small file put in place whole; the directories on the way must be real ones. */
async function writePlain(gitDir: string, name: string, content: string): Promise<void> {
  let directory = gitDir;
  for (const part of dirname(name)
    .split('/')
    .filter((found) => found !== '.')) {
    directory = join(directory, part);
    if ((await kindOf(directory)) === 'missing') await mkdir(directory);
    if ((await kindOf(directory)) !== 'directory') {
      throw refuse('git_dir_replaced', 'Parts of the .git of the working directory were replaced');
    }
  }
  const aside = join(gitDir, 'makima-write');
  await rm(aside, { recursive: true, force: true });
  await writeFile(aside, content, { flag: 'wx' });
  await rename(aside, join(gitDir, name));
}
