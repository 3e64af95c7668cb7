/** The end of a command that changed something: the thing as JSON, or one sentence. */
import type { Shell } from './shell.ts';
import { oneLine } from './plain.ts';

export function tellDone(shell: Shell, thing: unknown, sentence: string): void {
  if (shell.format === 'json') shell.json(thing);
  else shell.print(oneLine(sentence));
}
