/**
 * Looks over JSON text before it is parsed: how deep, how many members, whether a key comes twice.
 *
 * Why: the parser recurses and keeps the last of two equal keys; both are refused with a reason instead.
 * Law: one pass, no recursion, no regular expression over what a caller sent.
 */

export interface TextLimits {
  readonly maxDepth: number;
  /** Members of one array or object. */
  readonly maxItems: number;
}

interface Level {
  /** Keys seen; absent for an array. */
  readonly keys?: Set<string>;
  items: number;
}

const quote = 0x22;
const backslash = 0x5c;

/** What is wrong with it, or undefined. Text that is not JSON at all may pass: the parser will tell. */
export function checkJsonText(text: string, limits: TextLimits): string | undefined {
  const levels: Level[] = [];
  let lastString: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const level = levels.at(-1);
    if (code === quote) {
      const end = endOfString(text, at);
      if (end === undefined) return undefined;
      lastString = text.slice(at, end + 1);
      at = end;
    } else if (code === 0x7b || code === 0x5b) {
      levels.push(code === 0x7b ? { keys: new Set(), items: 0 } : { items: 0 });
      if (levels.length > limits.maxDepth) return `is nested deeper than ${limits.maxDepth} levels`;
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
    } else if (code === 0x2c && level !== undefined) {
      level.items += 1;
      if (level.items >= limits.maxItems)
        return `holds a list of more than ${limits.maxItems} members`;
    } else if (code === 0x3a && level?.keys !== undefined && lastString !== undefined) {
      const key = keyOf(lastString);
      if (level.keys.has(key)) return 'gives the same key twice in one object';
      level.keys.add(key);
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at += 1;
    else if (code === quote) return at;
  }
  return undefined;
}

/** Two spellings of a key (`"a"`, `"\u0061"`) are the same key. */
function keyOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}
