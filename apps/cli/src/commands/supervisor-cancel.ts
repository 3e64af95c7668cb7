/** `makima supervisor cancel`: stop a task for good. */
import type { Shell } from '../shell.ts';
import { given, runVerb, taskOf, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: VerbOptions & { readonly reason?: string },
): Promise<number> {
  const input = given({ taskId: await taskOf(shell, typed), reason: options.reason });
  return runVerb(
    shell,
    { tool: 'makima_cancel', input },
    {
      ...options,
      tell: ({ name, status }) => `${word(name)} is ${word(status)}`,
    },
  );
}
