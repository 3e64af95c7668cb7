/**
 * Commands in our texts as the person has to type them.
 *
 * Why: in a checkout `makima` is on nobody's PATH; a command that is shown there must be good for copying.
 * Law: only on a terminal. Scripts and documents have the commands as they are documented.
 */
import type { WriteStream } from 'node:tty';
import type { Io } from './io.ts';

/** A colour may stand before it. */
// oxlint-disable-next-line no-control-regex
const command = /(?<=^|[\s(`'"]|\u001b\[\d+m)makima (?=([a-z]+)\b)/gm;

/** `MAKIMA_COMMAND` is how the launcher was called. */
export function asTyped(
  { env, commands }: Pick<Io, 'env' | 'commands'>,
  stream: WriteStream,
  text: string,
): string {
  const name = env['MAKIMA_COMMAND'];
  if (!name || !stream.isTTY) return text;
  return text.replace(command, (found, word: string) =>
    commands?.has(word) === true ? `${name} ` : found,
  );
}
