/**
 * A pull request for a branch of the store: which repository it is at the forge, its commit pushed, the request
 * opened or found.
 *
 * Law: one after the other for each branch; the token goes to the forge's host and to no other.
 */
import { readFile } from 'node:fs/promises';
import { MakimaError } from '@makima/domain/error';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { ForgeRepository } from '../forge/github.ts';
import type { ForgeAccess } from '../forge/http.ts';
import { propose } from '../forge/propose.ts';
import type { ForgeSettings } from '../forge/settings.ts';
import { createBranch } from '../git/branch.ts';
import { refuse } from '../git/failure.ts';
import { assertNewBranch, taskRef } from '../git/names.ts';
import { pushBranch } from '../git/push.ts';
import { remoteOf } from '../git/remote.ts';
import type { RemoteSource } from '../git/source.ts';
import { resolveCommit, type Store } from '../git/store.ts';
import { storeAt, type Place } from './prepare.ts';
import type { ForgeUse, ResultOf } from './port.ts';

type Command = CommandOf<'pr.open'>;

/** Pull requests under way, by store and branch: two at once would both find none. */
const turns = new Map<string, Promise<unknown>>();

export async function openPullRequest(
  place: Place,
  command: Command,
  use: ForgeUse,
): Promise<ResultOf<'pr.open'>> {
  const store = await storeAt(place, command.repository, command.contractHead);
  const key = `${store.dir} ${command.branch}`;
  const former = turns.get(key) ?? Promise.resolve();
  const turn = former.then(() => openInTurn(place, store, command, use));
  const quiet = turn.catch(() => undefined);
  turns.set(key, quiet);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === quiet) turns.delete(key);
  }
}

async function openInTurn(
  place: Place,
  store: Store,
  command: Command,
  use: ForgeUse,
): Promise<ResultOf<'pr.open'>> {
  const { settings, token } = use;
  const branch = assertNewBranch(command.branch);
  const commitSha = await commitOf(store, command, branch);
  const remote = await remoteOf(store);
  const repository = repositoryAt(remote, settings);
  const { caFile, requestMs } = settings;
  const access: ForgeAccess = {
    apiUrl: settings.apiUrl,
    token,
    allowHosts: place.allowHosts,
    ca: caFile === null ? null : await readFile(caFile, 'utf8'),
    requestMs,
  };
  const { pullRequest, created } = await propose(access, {
    repository,
    head: branch,
    commitSha,
    base: command.baseBranch,
    title: command.title,
    body: command.body,
    push: () =>
      pushBranch(store, {
        to: remote,
        branch,
        commitSha,
        token,
        allowHosts: place.allowHosts,
        caFile,
        timeoutMs: settings.pushMs,
      }),
  });
  return {
    kind: 'pr.open',
    prUrl: pullRequest.url,
    prNumber: pullRequest.number,
    state: pullRequest.state,
    branch,
    baseBranch: pullRequest.base,
    commitSha,
    created,
  };
}

/** Where the branch stands; of a task's own work, which has none yet, it is made. */
async function commitOf(store: Store, command: Command, branch: string): Promise<string> {
  if (command.from === 'task') {
    const { operationId, taskId, attempt } = command;
    return (await createBranch(store, { operationId, branch, from: [taskRef(taskId, attempt)] }))
      .commitSha;
  }
  const sha = await resolveCommit(store, `refs/heads/${branch}`);
  if (sha === null) {
    throw refuse(
      'ref_missing',
      'The branch to propose is not on the machine',
      'Merge something into it first',
    );
  }
  const { expectedSha } = command;
  if (expectedSha !== undefined && sha !== expectedSha) {
    throw new MakimaError('CONFLICT', 'The branch stands elsewhere than a person allowed it', {
      details: { reason: 'branch_moved', commitSha: sha },
      retryable: true,
      fix: 'ask again: a person is shown where it stands now',
    });
  }
  return sha;
}

function repositoryAt(remote: RemoteSource, settings: ForgeSettings): ForgeRepository {
  if (remote.host !== settings.host) {
    throw new MakimaError('COMMAND_FAILED', `pull requests are opened at ${settings.host} only`, {
      details: { reason: 'other_forge', host: remote.host },
      fix: 'push by hand, or set MAKIMA_GITHUB_HOST and MAKIMA_GITHUB_API_URL on the machine',
    });
  }
  const [owner = '', name = '', ...more] = new URL(remote.url).pathname.slice(1).split('/');
  const bare = name.replace(/\.git$/, '');
  if (![owner, bare].every((part) => /^[\w.-]+$/.test(part)) || more.length > 0) {
    throw new MakimaError('COMMAND_FAILED', 'The address is no repository of GitHub', {
      details: { reason: 'other_forge' },
      fix: 'an address there ends in /owner/name',
    });
  }
  return { owner, name: bare };
}
