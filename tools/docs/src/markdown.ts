/**
 * The few pieces of Markdown that the reference is made of.
 *
 * Why: every page looks the same, and a cell can hold any text of the code without breaking its table.
 * Law: same input, same text; every page says where it comes from.
 */

/** The command that writes the reference anew. */
export const mendCommand = 'node tools/docs/src/main.ts';

/** A page: title, where it comes from, parts with one empty line between them. */
export function page(title: string, sources: readonly string[], parts: readonly string[]): string {
  const from = sources.map((source) => `\`${source}\``).join(', ');
  const note = `Made by \`${mendCommand}\` from ${from}.`;
  return `${[`# ${title}`, note, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

export function table(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => escapeCell(String(cell))).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function codes(words: readonly string[]): string {
  return words.map(code).join(', ');
}

/** A block as a terminal shows it. */
export function block(text: string, language = 'text'): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** `1048576` as `1 048 576`. */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}
