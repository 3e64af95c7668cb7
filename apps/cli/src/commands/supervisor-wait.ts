/** `makima supervisor wait`: until tasks have ended. */
import { exitCodes } from '../exit-code.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  given,
  tasksOf,
  tellAnswer,
  type Value,
  type VerbOptions,
} from '../supervisor/verb.ts';

interface Waited {
  readonly name: string;
  readonly status: string;
  readonly completed: boolean;
  readonly summary?: string;
  readonly error?: string;
}

const bad = new Set(['failed', 'cancelled']);

export async function run(
  shell: Shell,
  [typed]: readonly [readonly string[]],
  options: VerbOptions & {
    readonly any?: true;
    readonly handle?: string;
    readonly expires?: number;
  },
): Promise<number> {
  const input = given({
    taskIds: await tasksOf(shell, typed),
    mode: options.any === true ? 'any' : 'all',
    waitId: options.handle,
    expiresInSeconds: options.expires,
  });
  const answer = await callVerb(shell, { tool: 'makima_wait', input, timed: true }, options);
  const code = tellAnswer(shell, answer, (value) => waited(value).map(line).join('\n'));
  if (answer.value['timedOut'] === true) return exitCodes.cancelled;
  const endedBadly = waited(answer.value).some((task) => bad.has(task.status));
  return code === exitCodes.ok && endedBadly ? exitCodes.endedBadly : code;
}

function waited(value: Value): readonly Waited[] {
  return (value['tasks'] ?? []) as readonly Waited[];
}

function line({ name, status, summary, error }: Waited): string {
  return oneLine(`${name}  ${status}  ${error ?? summary ?? ''}`);
}
