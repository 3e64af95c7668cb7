/** `makima supervisor result`: what a task made. */
import { renderFacts } from '../facts.ts';
import type { Shell } from '../shell.ts';
import { callVerb, taskOf, tellAnswer } from '../supervisor/verb.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<number> {
  const input = { taskId: await taskOf(shell, typed) };
  const answer = await callVerb(shell, { tool: 'makima_result', input }, {});
  return tellAnswer(shell, answer, (value) => {
    const names = [
      'name',
      'taskId',
      'status',
      'attempt',
      'error',
      'summary',
      'branch',
      'commitSha',
    ];
    const facts = names.map((name) => [name, textOf(value[name])] as const);
    return renderFacts(facts, shell.screen);
  });
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;
