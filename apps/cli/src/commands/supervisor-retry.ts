/** `makima supervisor retry`: another attempt. */
import type { Shell } from '../shell.ts';
import { runVerb, taskOf, word, type VerbOptions } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: VerbOptions,
): Promise<number> {
  const call = { tool: 'makima_retry', input: { taskId: await taskOf(shell, typed) } } as const;
  return runVerb(shell, call, {
    ...options,
    tell: ({ name, status }) => `${word(name)} is ${word(status)}`,
  });
}
