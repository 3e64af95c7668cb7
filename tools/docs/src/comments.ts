/**
 * What the comments of the code say about fields and variants: the meaning beside the schema.
 *
 * Why: a zod schema knows types, its doc comments know why; the reference wants both and neither twice.
 * Law: a comment belongs to what follows it directly; what has none has no meaning here either.
 */

const docComment = String.raw`\/\*\*((?:(?!\*\/)[\s\S])*)\*\/`;

/** Comments of named fields, also of quoted and `readonly` ones. The first of a name counts. */
export function fieldComments(source: string): Map<string, string> {
  const pattern = new RegExp(
    String.raw`${docComment}\s*(?:readonly\s+)?'?([A-Za-z][\w-]*)'?\??:`,
    'g',
  );
  return firstOf(source, pattern);
}

/** The part of a source that describes one variant of a union, and the comment above it. */
export interface Variant {
  readonly comment: string;
  readonly body: string;
}

/** Variants of a discriminated union, by the literal of their `kind` or `type`. The first of a name counts. */
export function variants(source: string, key: 'kind' | 'type'): Map<string, Variant> {
  const opening = new RegExp(
    String.raw`(?:${docComment}\s*)?(?:export const \w+ = )?z\.strictObject\(\{\s*${key}: z\.literal\('([^']+)'\)`,
    'g',
  );
  const found = [...source.matchAll(opening)];
  const result = new Map<string, Variant>();
  for (const [index, match] of found.entries()) {
    const name = match[2] ?? '';
    if (result.has(name)) continue;
    const end = found[index + 1]?.index ?? source.length;
    const body = source.slice(match.index + match[0].length, end);
    result.set(name, { comment: sentence(match[1] ?? ''), body });
  }
  return result;
}

function firstOf(source: string, pattern: RegExp): Map<string, string> {
  const result = new Map<string, string>();
  for (const [, comment = '', name = ''] of source.matchAll(pattern)) {
    if (!result.has(name)) result.set(name, sentence(comment));
  }
  return result;
}

/** A comment on one line, without the stars of its margin. */
function sentence(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*\s?/, '').trim())
    .join(' ')
    .trim();
}
