/** `makima directives create`: a standing goal, and its first agent unless told to wait. */
import { text } from 'node:stream/consumers';
import type { ReconcileMode } from '@makima/domain/question';
import { tellDone } from '../act.ts';
import { isLoopback, nameFrom } from '../new-contract.ts';
import { usageError } from '../print-error.ts';
import { readRepository } from '../repository.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly repo?: string;
  readonly title?: string;
  readonly base?: string;
  readonly mode?: ReconcileMode;
  readonly agent: string;
  readonly model?: string;
  /** False after `--no-start`. */
  readonly start: boolean;
}

export async function run(
  shell: Shell,
  [given]: readonly [string],
  options: Options,
): Promise<void> {
  const goal = (given === '-' ? await text(shell.io.stdin) : given).trim();
  if (goal === '') throw usageError('the goal is empty', 'makima directives create "no dead code"');
  const client = await shell.connect();
  const sameMachine = isLoopback(shell.url());
  const place = await readRepository(shell.io, options.repo ?? '.', {
    sameMachine,
    base: options.base,
  });
  const { base, mode, model } = options;
  const directive = await client.call('createDirective', {
    body: {
      ...place,
      title: options.title ?? nameFrom(goal),
      goal,
      agent: options.agent,
      start: options.start,
      ...(base === undefined ? {} : { baseBranch: base }),
      ...(mode === undefined ? {} : { reconcileMode: mode }),
      ...(model === undefined ? {} : { model }),
    },
  });
  tellDone(shell, directive, directive.id);
  const next = options.start ? 'orders list' : `directives start ${directive.id}`;
  shell.say(`${directive.title}.  Next: makima ${next}`);
}
