/**
 * The contract's branch into the person's own repository, as a branch; on their word also a fast-forward
 * of the base branch.
 *
 * Law: the person's checkout is never touched unless the base branch is to move, is checked out there and
 * is clean; everything of their configuration that could execute is off; a ref moves forward only and only
 * from where it was seen. What cannot be done is an answer with its reason.
 *
 * export deliverBranch(store, options: DeliverOptions): Promise<Delivery>
 * export moveTheirBranch(store, move): Promise<Step>
 */
import { isAncestor } from './commit.ts';
import { moveCheckout } from './move-checkout.ts';
import { refuse } from './failure.ts';
import type { RefusalReason } from './failure.ts';
import { checkedOutBranches, locateGitDir, readRefs } from './gitdir.ts';
import type { GitDirPlace } from './gitdir.ts';
import { withRepoLock } from './lock.ts';
import { assertBranch, assertNewBranch } from './names.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

export interface DeliverOptions {
  /** The person's repository: absolute path. */
  readonly repositoryPath: string;
  /** The contract's branch in the store; delivered under the same name. */
  readonly branch: string;
  /** Move this branch of theirs forward to the same commit. */
  readonly fastForward?: string;
}

export interface Delivery {
  readonly branch: string;
  /** Where the branch stands in the person's repository; null when it was not delivered. */
  readonly commitSha: string | null;
  readonly baseMoved: boolean;
  /** Why something was not done; null when everything was. */
  readonly reason: RefusalReason | null;
  /** For people: one sentence. */
  readonly note: string;
}

/** Done, or why not. */
export interface Step {
  readonly done: boolean;
  readonly reason: RefusalReason | null;
  readonly note: string;
}

export async function deliverBranch(store: Store, options: DeliverOptions): Promise<Delivery> {
  const branch = assertNewBranch(options.branch);
  const base = options.fastForward === undefined ? null : assertBranch(options.fastForward);
  const sha = await resolveCommit(store, `refs/heads/${branch}`);
  if (sha === null) throw refuse('ref_missing', 'The branch to deliver is not in the store');
  const place = await mustLocate(options.repositoryPath);
  return withRepoLock(store.dir, async () => {
    await bringObjects(store, place, `refs/heads/${branch}`);
    const placed = await moveBranch(store, place, branch, sha, { create: 'allowed' });
    if (!placed.done) {
      return {
        branch,
        commitSha: null,
        baseMoved: false,
        reason: placed.reason,
        note: placed.note,
      };
    }
    const moved: Step =
      base === null
        ? { done: false, reason: null, note: placed.note }
        : await moveBranch(store, place, base, sha, { create: 'refused' });
    return {
      branch,
      commitSha: sha,
      baseMoved: moved.done,
      reason: moved.reason,
      note: moved.note,
    };
  });
}

/**
 * A branch that the person has, forward to a commit that a ref of the store holds. The caller holds the store's
 * lock.
 */
export async function moveTheirBranch(
  store: Store,
  move: {
    readonly repositoryPath: string;
    readonly branch: string;
    readonly ref: string;
    readonly sha: string;
  },
): Promise<Step> {
  const place = await mustLocate(move.repositoryPath);
  await bringObjects(store, place, move.ref);
  return moveBranch(store, place, assertBranch(move.branch), move.sha, { create: 'refused' });
}

async function mustLocate(path: string): Promise<GitDirPlace> {
  const kind = await kindOf(path);
  const place = kind === 'missing' ? null : await locateGitDir(path);
  if (place !== null) return place;
  throw kind === 'missing'
    ? refuse('source_missing', 'The repository is not there any more', 'Check the path')
    : refuse('not_a_repository', 'There is no git repository at this path', 'Check the path');
}

/** Objects only: no ref moves, FETCH_HEAD stays, and the remote's program is named so that none of theirs is. */
async function bringObjects(store: Store, place: GitDirPlace, ref: string): Promise<void> {
  await git(
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--no-prune',
      '--refmap=',
      '--upload-pack=git-upload-pack',
      '--',
      store.dir,
      ref,
    ],
    { gitDir: place.commonDir, transport: 'file', timeoutMs: 300_000 },
  );
}

async function moveBranch(
  store: Store,
  place: GitDirPlace,
  branch: string,
  sha: string,
  options: { readonly create: 'allowed' | 'refused' },
): Promise<Step> {
  const ref = `refs/heads/${branch}`;
  const former = (await readRefs(place)).get(ref) ?? null;
  if (former === sha) return { done: true, reason: null, note: `${branch} is up to date` };
  if (former === null && options.create === 'refused') {
    return { done: false, reason: 'ref_missing', note: `There is no branch ${branch} to move` };
  }
  if (former !== null && !(await isForward(store, former, sha))) {
    return {
      done: false,
      reason: 'diverged',
      note: `${branch} has commits of its own: merge ${sha.slice(0, 12)} by hand`,
    };
  }
  const holder = (await checkedOutBranches(place)).get(ref);
  if (holder !== undefined && former !== null) {
    // A delivered branch is never pulled from under a checkout; the base may be, when that is clean.
    if (options.create === 'allowed') return checkedOut(branch);
    const refused = await moveCheckout(store, place, holder, former, sha);
    if (refused !== null) return refused;
    try {
      return await moveRef(place, ref, branch, former, sha);
    } catch (error) {
      // Their branch moved in this very moment: files and index go back to where they were.
      await moveCheckout(store, place, holder, sha, former);
      throw error;
    }
  }
  if (holder !== undefined) return checkedOut(branch);
  return moveRef(place, ref, branch, former, sha);
}

function checkedOut(branch: string): Step {
  const note = `${branch} is checked out: switch to another branch and deliver again`;
  return { done: false, reason: 'checked_out', note };
}

async function isForward(store: Store, former: string, sha: string): Promise<boolean> {
  const known = await resolveCommit(store, former);
  return known !== null && isAncestor(store, former, sha);
}

async function moveRef(
  place: GitDirPlace,
  ref: string,
  branch: string,
  former: string | null,
  sha: string,
): Promise<Step> {
  const expected = former ?? '0'.repeat(sha.length);
  const args = ['update-ref', '--no-deref', '-m', 'makima: delivered', '--', ref, sha, expected];
  await git(args, { gitDir: place.commonDir });
  return { done: true, reason: null, note: `${branch} is at ${sha.slice(0, 12)}` };
}
