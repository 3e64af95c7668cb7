/**
 * A pull request for a branch, however often it is asked for: looked up by its head, then pushed, then opened.
 *
 * Law: one pull request per head. Whether one was opened is never guessed: after silence the forge is asked, and
 * a request that was cut off in its middle is found by the next.
 */
import { MakimaError } from '@makima/domain/error';
import {
  defaultBranchOf,
  openPullRequest,
  pullRequestsOf,
  silence,
  type ForgeRepository,
  type PullRequest,
} from './github.ts';
import type { ForgeAccess } from './http.ts';

export interface Proposal {
  readonly repository: ForgeRepository;
  readonly head: string;
  readonly commitSha: string;
  /** Null: the repository's default branch. */
  readonly base: string | null;
  readonly title: string;
  readonly body: string;
  /** Brings the commit to the forge. */
  readonly push: () => Promise<void>;
}

export interface Proposed {
  readonly pullRequest: PullRequest;
  readonly created: boolean;
}

const triesMost = 3;

export async function propose(access: ForgeAccess, proposal: Proposal): Promise<Proposed> {
  const { repository, head, commitSha } = proposal;
  const former = await pullRequestsOf(access, repository, head);
  const open = former.find(({ state }) => state === 'open');
  if (open !== undefined) {
    await proposal.push();
    return { pullRequest: { ...open, headSha: commitSha }, created: false };
  }
  const [newest] = former;
  if (newest?.state === 'merged' && newest.headSha === commitSha)
    return { pullRequest: newest, created: false };
  if (newest?.state === 'closed') throw closed(newest);
  const base = proposal.base ?? (await defaultBranchOf(access, repository));
  await proposal.push();
  return create(access, proposal, base);
}

async function create(access: ForgeAccess, proposal: Proposal, base: string): Promise<Proposed> {
  const { repository, head, title, body } = proposal;
  let why = '';
  for (let tries = 0; tries < triesMost; tries += 1) {
    const opened = await openPullRequest(access, repository, { head, base, title, body });
    if (opened.kind === 'opened') return { pullRequest: opened.pullRequest, created: true };
    const found = (await pullRequestsOf(access, repository, head)).find(
      ({ state }) => state === 'open',
    );
    // Ours, when nobody could tell whether it was opened; another's, when it was there before.
    if (found !== undefined) return { pullRequest: found, created: opened.kind === 'unknown' };
    why = opened.kind === 'unknown' ? opened.why : 'it says that one exists, and shows none';
  }
  throw silence(why);
}

function closed({ number, url }: PullRequest): MakimaError {
  return new MakimaError('CONFLICT', `pull request #${number} of this branch was closed`, {
    details: { reason: 'pull_request_closed', prNumber: number, prUrl: url },
    fix: 'reopen it at the forge, or propose another branch',
  });
}
