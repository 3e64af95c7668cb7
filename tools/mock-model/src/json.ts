/**
 * Reading a house's JSON, and cutting text into the pieces of a stream.
 *
 * Law: total; what is not there as expected is empty.
 */

export type Json = Record<string, unknown>;

const pieceLength = 24;

export function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(asJson) : [];
}

/** The text in a string, in a part with `text`, or in a list of either. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  const { text } = asJson(value);
  return typeof text === 'string' ? text : '';
}

export function pieces(text: string): readonly string[] {
  const count = Math.ceil(text.length / pieceLength);
  return Array.from({ length: count }, (_, index) =>
    text.slice(index * pieceLength, (index + 1) * pieceLength),
  );
}
