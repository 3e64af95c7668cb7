/** `makima supervisor ask`: a question for a person. */
import { exitCodes } from '../exit-code.ts';
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  given,
  tellAnswer,
  wordsOf,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

interface AskOptions extends VerbOptions {
  readonly choice?: readonly string[];
  readonly multi?: true;
  readonly context?: string;
  /** False after `--no-wait`. */
  readonly wait: boolean;
}

export async function run(
  shell: Shell,
  [words]: readonly [readonly string[]],
  options: AskOptions,
): Promise<number> {
  const input = given({
    question: (await wordsOf(shell, words.join(' '))).trim(),
    choices: options.choice ?? [],
    multiSelect: options.multi === true,
    context: options.context,
    nonBlocking: !options.wait,
  });
  const patience = options.wait ? options : { ...options, timeout: 0 };
  const answer = await callVerb(shell, { tool: 'makima_ask', input, timed: true }, patience);
  const code = tellAnswer(shell, answer, ({ response, timedOut }) =>
    plain(word(response, timedOut === true ? 'nobody answered in time' : 'withdrawn')),
  );
  return options.wait ? code : exitCodes.ok;
}
