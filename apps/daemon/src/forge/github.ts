/**
 * GitHub's REST API, as far as pull requests need it: the default branch, the pull requests of a head, a new one.
 *
 * Law: every answer is parsed; what GitHub refuses becomes an error that tells a person what to do, in GitHub's
 * own words where it has some.
 */
import { z } from 'zod';
import { MakimaError } from '@makima/domain/error';
import { askForge, ForgeSilence, type ForgeAccess, type ForgeAnswer } from './http.ts';

/** `owner/name`. */
export interface ForgeRepository {
  readonly owner: string;
  readonly name: string;
}

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly headSha: string;
  readonly base: string;
}

export interface NewPullRequest {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

const zPull = z.object({
  number: z.int().positive(),
  html_url: z.url({ protocol: /^https?$/ }),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullable().optional(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
});

export async function defaultBranchOf(
  access: ForgeAccess,
  repository: ForgeRepository,
): Promise<string> {
  const answer = await asked(access, 'GET', pathOf(repository));
  if (answer.status !== 200) throw refusal(answer, repository);
  return read(z.object({ default_branch: z.string().min(1) }), answer).default_branch;
}

/** Newest first; only those whose head is this branch of this very repository. */
export async function pullRequestsOf(
  access: ForgeAccess,
  repository: ForgeRepository,
  head: string,
): Promise<PullRequest[]> {
  const query = new URLSearchParams({
    head: `${repository.owner}:${head}`,
    state: 'all',
    sort: 'created',
    direction: 'desc',
    per_page: '30',
  });
  const answer = await asked(access, 'GET', `${pathOf(repository)}/pulls?${query.toString()}`);
  if (answer.status !== 200) throw refusal(answer, repository);
  return read(z.array(zPull), answer)
    .filter((pull) => pull.head.ref === head)
    .map(toPullRequest);
}

/** `exists`: GitHub says that this head has one already. `unknown`: nobody can tell whether it was opened. */
export type Opened =
  | { readonly kind: 'opened'; readonly pullRequest: PullRequest }
  | { readonly kind: 'exists' }
  | { readonly kind: 'unknown'; readonly why: string };

export async function openPullRequest(
  access: ForgeAccess,
  repository: ForgeRepository,
  wanted: NewPullRequest,
): Promise<Opened> {
  let answer: ForgeAnswer;
  try {
    answer = await askForge(access, 'POST', `${pathOf(repository)}/pulls`, wanted);
  } catch (error) {
    if (error instanceof ForgeSilence) return { kind: 'unknown', why: error.message };
    throw error;
  }
  if (answer.status === 201)
    return { kind: 'opened', pullRequest: toPullRequest(read(zPull, answer)) };
  if (answer.status >= 500) return { kind: 'unknown', why: `it answered ${answer.status}` };
  if (answer.status === 422 && /already exists/i.test(wordsOf(answer))) return { kind: 'exists' };
  throw refusal(answer, repository);
}

function toPullRequest(pull: z.output<typeof zPull>): PullRequest {
  const merged = typeof pull.merged_at === 'string';
  return {
    number: pull.number,
    url: pull.html_url,
    state: merged ? 'merged' : pull.state,
    headSha: pull.head.sha,
    base: pull.base.ref,
  };
}

function pathOf({ owner, name }: ForgeRepository): string {
  return `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
}

/** A question may be asked again: once more, when nobody answered or GitHub is not well. */
async function asked(access: ForgeAccess, method: 'GET', path: string): Promise<ForgeAnswer> {
  try {
    const answer = await askForge(access, method, path);
    if (answer.status < 500) return answer;
  } catch (error) {
    if (!(error instanceof ForgeSilence)) throw error;
  }
  try {
    return await askForge(access, method, path);
  } catch (error) {
    if (error instanceof ForgeSilence) throw silence(error.message);
    throw error;
  }
}

export function silence(why: string): MakimaError {
  return new MakimaError('COMMAND_FAILED', `GitHub cannot be reached: ${why}`, {
    details: { reason: 'forge_silent' },
    retryable: true,
    fix: 'ask again later: a pull request that was opened meanwhile is found',
  });
}

function read<T extends z.ZodType>(schema: T, answer: ForgeAnswer): z.output<T> {
  const found = schema.safeParse(answer.json);
  if (found.success) return found.data;
  throw new MakimaError('COMMAND_FAILED', 'GitHub answered in an unknown shape', {
    details: { reason: 'forge_unknown_shape', status: answer.status },
    fix: 'check MAKIMA_GITHUB_API_URL on the machine',
  });
}

function refusal(answer: ForgeAnswer, { owner, name }: ForgeRepository): MakimaError {
  const { status } = answer;
  const words = wordsOf(answer);
  const resetAt = limitedUntil(answer);
  if (resetAt !== null) {
    return new MakimaError(
      'RATE_LIMITED',
      `GitHub's limit for this token is reached until ${resetAt}`,
      {
        details: { reason: 'forge_limited', resetAt },
        retryable: true,
        fix: 'ask again then',
      },
    );
  }
  const facts = { reason: `forge_${status}`, status };
  const say = (message: string, fix: string, retryable = false): MakimaError =>
    new MakimaError('COMMAND_FAILED', message, { details: facts, fix, retryable });
  switch (status) {
    case 401:
      return say('GitHub does not know the token', 'put a valid token on the machine');
    case 403:
      return say(
        `GitHub refuses it: ${words}`,
        `let the token read ${owner}/${name}, push to it and open pull requests`,
      );
    case 404:
      return say(
        `GitHub shows this token no repository ${owner}/${name}`,
        'check the address, and that the token may see the repository',
      );
    case 422:
      return say(`GitHub does not accept it: ${words}`, 'change what it names, then ask again');
    default:
      return say(`GitHub answered ${status}: ${words}`, 'ask again later', status >= 500);
  }
}

/** When the limit ends; null when the answer tells of none. */
function limitedUntil({ status, headers }: ForgeAnswer): string | null {
  if (status !== 403 && status !== 429) return null;
  const after = Number(headers['retry-after']);
  const reset = Number(headers['x-ratelimit-reset']);
  if (headers['retry-after'] !== undefined && Number.isFinite(after))
    return new Date(Date.now() + after * 1_000).toISOString();
  if (headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset))
    return new Date(reset * 1_000).toISOString();
  return status === 429 ? new Date(Date.now() + 60_000).toISOString() : null;
}

const zRefusal = z.object({
  message: z.string().optional(),
  errors: z.array(z.union([z.string(), z.object({ message: z.string().optional() })])).optional(),
});

function wordsOf(answer: ForgeAnswer): string {
  const { data } = zRefusal.safeParse(answer.json);
  const more = (data?.errors ?? []).map((one) => (typeof one === 'string' ? one : one.message));
  const words = [data?.message, ...more].filter((word) => word !== undefined && word !== '');
  return words.join('; ').slice(0, 300) || 'no reason given';
}
