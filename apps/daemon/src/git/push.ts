/**
 * A commit of the store to a branch of its remote repository, over https with a token.
 *
 * Law: the token stands in no argument and no environment (credentials.ts). Nothing of any repository runs. The branch moves from where
 * it was seen, and away from its commits only when they are makima's own.
 *
 * export pushBranch(store, push: Push): Promise<void>
 */
import { MakimaError } from '@makima/domain/error';
import { isAncestor, updateRefs } from './commit.ts';
import { withCredentials, type RemoteAccess } from './credentials.ts';
import { GitFailure, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertNewBranch, assertSha, pushedRef } from './names.ts';
import { git, type GitOptions } from './run.ts';
import { checkSourceHost, type RemoteSource } from './source.ts';
import { pinned, resolveCommit, type Store } from './store.ts';

export interface Push extends RemoteAccess {
  readonly token: string;
  readonly to: RemoteSource;
  readonly branch: string;
  readonly commitSha: string;
  readonly allowHosts: readonly string[];
  readonly timeoutMs: number;
}

export async function pushBranch(store: Store, push: Push): Promise<void> {
  const branch = assertNewBranch(push.branch);
  const sha = assertSha(push.commitSha);
  if (push.to.kind !== 'https') throw refuse('not_https', 'A token is sent over https only');
  const address = await checkSourceHost(push.to, { allowHosts: push.allowHosts });
  await withRepoLock(store.dir, () =>
    withCredentials(store, push, async (config) => {
      const run: GitOptions = {
        gitDir: store.dir,
        transport: 'network',
        timeoutMs: push.timeoutMs,
        config: [...config, ...pinned(push.to, address)],
      };
      try {
        await move(store, { url: push.to.url, branch, sha }, run);
      } catch (error) {
        throw explained(error);
      }
      await updateRefs(store, [`update ${pushedRef(branch)} ${sha}`]);
    }),
  );
}

async function move(
  store: Store,
  { url, branch, sha }: { url: string; branch: string; sha: string },
  run: GitOptions,
): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const listed = await git(['ls-remote', '--refs', '--', url, ref], run);
  const there = /^([0-9a-f]{40,64})\t/.exec(listed.stdout)?.[1] ?? null;
  if (there === sha) return;
  if (there !== null && !(await mayLeave(store, branch, there, sha))) throw foreign(branch);
  await git(
    [
      'push',
      '--quiet',
      '--no-verify',
      '--no-follow-tags',
      '--no-signed',
      '--recurse-submodules=no',
      '--receive-pack=git-receive-pack',
      // Empty: it must not be there yet.
      `--force-with-lease=${ref}:${there ?? ''}`,
      '--',
      url,
      `${sha}:${ref}`,
    ],
    run,
  );
}

/** Forward, or away from what we put there ourselves. */
async function mayLeave(
  store: Store,
  branch: string,
  there: string,
  sha: string,
): Promise<boolean> {
  if ((await resolveCommit(store, pushedRef(branch))) === there) return true;
  return (await resolveCommit(store, there)) !== null && isAncestor(store, there, sha);
}

function foreign(branch: string): MakimaError {
  return new MakimaError(
    'CONFLICT',
    `${branch} has commits at the remote that makima did not make`,
    {
      details: { reason: 'diverged', branch },
      fix: 'take another branch, or remove that one at the remote',
    },
  );
}

function explained(error: unknown): unknown {
  if (!(error instanceof GitFailure)) return error;
  const say = (message: string, fix: string): MakimaError =>
    new MakimaError('COMMAND_FAILED', message, {
      details: { reason: 'push_refused', stderr: error.stderr },
      fix,
    });
  if (error.ending === 'timeout') {
    return new MakimaError('COMMAND_FAILED', 'The branch could not be pushed in time', {
      details: { reason: 'push_timeout' },
      retryable: true,
      fix: 'ask again later',
    });
  }
  if (/Authentication failed|could not read Username|HTTP 401|403/i.test(error.stderr))
    return say('The remote does not let the token push', 'give the token the right to push there');
  if (/stale info|fetch first|non-fast-forward/i.test(error.stderr))
    return say('The branch moved at the remote meanwhile', 'ask again');
  if (/not found|does not exist|HTTP 404/i.test(error.stderr))
    return say('The remote repository is not there for this token', 'check its address');
  return error;
}
