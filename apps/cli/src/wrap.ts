/**
 * Lines of words that fit a terminal.
 *
 * Law: a word is never broken, so that a path or an address can be copied; colours have no width.
 */
import { stripVTControlCharacters } from 'node:util';

/** Breaks one line before `columns`; every line but the first begins with `indent` spaces. */
export function wrap(text: string, columns: number, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  let width = 0;
  let empty = true;
  for (const word of text.split(' ')) {
    const length = Array.from(stripVTControlCharacters(word)).length;
    const fits = width + 1 + length <= columns;
    if (!empty && !fits) {
      lines.push(line.trimEnd());
      line = ' '.repeat(indent) + word;
      width = indent + length;
    } else {
      line += empty ? word : ` ${word}`;
      width += empty ? length : length + 1;
    }
    empty = false;
  }
  return [...lines, line.trimEnd()].join('\n');
}
