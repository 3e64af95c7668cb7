/**
 * Reads JSON text without building it: whether it is JSON and where it is not, how deep, how many members,
 * whether a key comes twice.
 *
 * Why: the platform's parser recurses, keeps the last of two equal keys, and does not tell where it broke.
 * Law: one pass, no recursion, no regular expression that can go back.
 */

export interface TextLimits {
  readonly maxDepth: number;
  /** Members of one array or object. */
  readonly maxItems: number;
}

/** What may come next. `value?` and `key?` also allow the end of an empty list or object. */
type Expects = 'value' | 'value?' | 'key' | 'key?' | 'colon' | 'comma' | 'nothing';

interface Level {
  /** Keys seen; absent for an array. */
  readonly keys: Set<string> | undefined;
  items: number;
}

/** What is wrong with it, in words; undefined when it is JSON within its limits. */
export function checkJsonText(text: string, limits: TextLimits): string | undefined {
  const levels: Level[] = [];
  let expects: Expects = 'value';
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    if (at >= text.length) {
      return expects === 'nothing' ? undefined : `is not JSON: it ends too early`;
    }
    const char = text[at] ?? '';
    const level = levels.at(-1);
    const end = endOfToken(text, at);
    if (end === undefined || !fits(char, expects, level)) return `is not JSON: ${place(text, at)}`;
    if (char === '{' || char === '[') {
      if (levels.length >= limits.maxDepth)
        return `is nested deeper than ${limits.maxDepth} levels`;
      levels.push({ keys: char === '{' ? new Set() : undefined, items: 0 });
      expects = char === '{' ? 'key?' : 'value?';
    } else if (char === '}' || char === ']') {
      levels.pop();
      expects = levels.length === 0 ? 'nothing' : 'comma';
    } else if (char === ',') {
      if (level !== undefined && ++level.items >= limits.maxItems) {
        return `holds a list of more than ${limits.maxItems} members`;
      }
      expects = level?.keys === undefined ? 'value' : 'key';
    } else if (char === ':') {
      expects = 'value';
    } else if (expects === 'key' || expects === 'key?') {
      const key = keyOf(text.slice(at, end));
      if (level?.keys?.has(key) === true) return 'gives the same key twice in one object';
      level?.keys?.add(key);
      expects = 'colon';
    } else {
      expects = levels.length === 0 ? 'nothing' : 'comma';
    }
    at = end;
  }
}

/** May this token stand here? */
function fits(char: string, expects: Expects, level: Level | undefined): boolean {
  const opensValue = !'}],:'.includes(char);
  switch (expects) {
    case 'value':
      return opensValue;
    case 'value?':
      return opensValue || char === ']';
    case 'key':
      return char === '"';
    case 'key?':
      return char === '"' || char === '}';
    case 'colon':
      return char === ':';
    case 'comma':
      return char === ',' || char === (level?.keys === undefined ? ']' : '}');
    case 'nothing':
      return false;
  }
}

/** Where the token ends that begins here; undefined when none does. */
function endOfToken(text: string, at: number): number | undefined {
  const char = text[at] ?? '';
  if ('{}[],:'.includes(char)) return at + 1;
  if (char === '"') return endOfString(text, at);
  for (const word of ['true', 'false', 'null'])
    if (text.startsWith(word, at)) return at + word.length;
  number.lastIndex = at;
  return number.test(text) ? number.lastIndex : undefined;
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y;

function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return undefined;
    if (code !== 0x5c) continue;
    const escaped = text[at + 1] ?? '';
    if (escaped === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) return undefined;
      at += 5;
    } else if ('"\\/bfnrt'.includes(escaped) && escaped !== '') at += 1;
    else return undefined;
  }
  return undefined;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (' \n\r\t'.includes(text[at] ?? 'x')) at += 1;
  return at;
}

/** Two spellings of a key (`"a"`, `"\u0061"`) are the same key. */
function keyOf(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
}

function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
