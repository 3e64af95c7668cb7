/** `makima directives set`: another goal, mode or place; or the archive. */
import { text } from 'node:stream/consumers';
import type { DirectiveStatus } from '@makima/domain/directive';
import type { ReconcileMode } from '@makima/domain/question';
import { tellDone } from '../act.ts';
import { directiveId } from '../find-directive.ts';
import { isLoopback } from '../new-contract.ts';
import { usageError } from '../print-error.ts';
import { readRepository } from '../repository.ts';
import type { Shell } from '../shell.ts';
import { given } from '../supervisor/verb.ts';

interface Options {
  readonly title?: string;
  readonly goal?: string;
  readonly status?: DirectiveStatus;
  readonly mode?: ReconcileMode;
  readonly repo?: string;
  readonly base?: string;
  readonly agent?: string;
  readonly model?: string;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  if (Object.keys(options).length === 0)
    throw usageError('nothing is to be changed', `makima directives set ${typed} --mode manual`);
  const client = await shell.connect();
  const id = await directiveId(client, typed);
  const { repo } = options;
  const place =
    repo === undefined
      ? {}
      : await readRepository(shell.io, repo, { sameMachine: isLoopback(shell.url()) });
  const { title, status, agent, model } = options;
  const goal = options.goal === '-' ? (await text(shell.io.stdin)).trim() : options.goal;
  const changes = given({
    title,
    goal,
    status,
    reconcileMode: options.mode,
    baseBranch: options.base,
    agent,
    model,
  });
  const directive = await client.call('patchDirective', {
    params: { id },
    body: { ...place, ...changes },
  });
  tellDone(shell, directive, `${directive.title} is changed, version ${directive.version}`);
}
