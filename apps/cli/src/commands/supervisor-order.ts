/** `makima supervisor order`: future work for a directive, about which a person decides. */
import type { Shell } from '../shell.ts';
import { given, runVerb, wordsOf, type VerbOptions, word } from '../supervisor/verb.ts';

interface OrderOptions extends VerbOptions {
  readonly type?: string;
  readonly description?: string;
  readonly priority?: string;
  readonly label?: readonly string[];
  readonly repo?: string;
}

export async function run(
  shell: Shell,
  [title]: readonly [readonly string[]],
  options: OrderOptions,
): Promise<number> {
  const { description, once } = options;
  const input = given({
    title: title.join(' '),
    description: description === undefined ? undefined : await wordsOf(shell, description),
    orderType: options.type,
    priority: options.priority,
    labels: options.label ?? [],
    repositoryUrl: options.repo,
  });
  return runVerb(
    shell,
    { tool: 'makima_order', input },
    {
      ...(once === undefined ? {} : { once }),
      tell: ({ orderId, title: placed }) => `${word(orderId)}  ${word(placed)}`,
    },
  );
}
