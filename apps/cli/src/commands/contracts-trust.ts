/** `makima contracts trust`: an owner vouches for what a repository's own settings execute. */
import type { Repository } from '@makima/contracts/entity/contract';
import { tellDone } from '../act.ts';
import { contractId, matching, theOne } from '../find.ts';
import { usageError } from '../print-error.ts';
import { confirm, type Shell } from '../shell.ts';

interface Options {
  readonly repository?: string;
  readonly off?: true;
  readonly yes?: true;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const { items } = await client.call('listRepositories', { params: { id } });
  const repository = oneOf(items, typed, options.repository);
  const place = repository.localPath ?? repository.repositoryUrl ?? repository.name;
  if (options.off !== true) {
    await confirm(shell, `let what ${place} executes (hooks, tool servers) run as you`, {
      yes: options.yes === true,
    });
  }
  const changed = await client.call('trustRepository', {
    params: { id, repositoryId: repository.id },
    body: { trusted: options.off !== true },
  });
  tellDone(shell, changed, `${place} is ${changed.trusted ? 'trusted' : 'not trusted any more'}`);
  shell.say('Agents are told when they start next.');
}

const names = {
  id: (repository: Repository) => repository.id,
  name: (repository: Repository) => repository.name,
};

function oneOf(
  all: readonly Repository[],
  contract: string,
  named: string | undefined,
): Repository {
  const found = named === undefined ? all : matching(all, named, names);
  const repository = theOne(found, named ?? contract, 'repositories', names);
  if (repository !== undefined) return repository;
  throw usageError(
    named === undefined ? `${contract} has no repository` : `it has no repository '${named}'`,
    `makima contracts show ${contract}`,
  );
}
