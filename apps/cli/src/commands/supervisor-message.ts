/** `makima supervisor message`: words for the agent of a task, or the receipt of earlier ones. */
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import {
  given,
  runVerb,
  taskOf,
  word,
  wordsOf,
  type Value,
  type VerbOptions,
} from '../supervisor/verb.ts';

interface MessageOptions extends VerbOptions {
  readonly mode: string;
  readonly receipt?: string;
}

/** As long as one call may be held. */
const mostSeconds = 240;

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
  options: MessageOptions,
): Promise<number> {
  const input = given({
    taskId: await taskOf(shell, typed),
    ...(await whatOf(shell, words, options)),
    timeoutSeconds:
      options.timeout === undefined ? undefined : Math.min(options.timeout, mostSeconds),
  });
  return runVerb(
    shell,
    { tool: 'makima_message', input },
    {
      ...options,
      tell: ({ messageId, state }) => `message ${word(messageId)} is ${word(state)}`,
    },
  );
}

async function whatOf(
  shell: Shell,
  words: readonly string[],
  { mode, receipt }: MessageOptions,
): Promise<Value> {
  if (receipt !== undefined) return { messageId: receipt };
  if (words.length === 0) throw usageError('there is nothing to tell', 'give the message as words');
  return { text: await wordsOf(shell, words.join(' ')), mode };
}
