// Reads a TypeScript file just well enough: its code without comments, its imports with their lines.
// Why: TypeScript 7 has no parser to call, and these rules need no syntax tree.
// Law: what stands in a comment, a string or a regular expression is never taken for code.

export interface ImportStatement {
  specifier: string;
  line: number;
}

export interface MaskedSource {
  /** The text with comments blanked; same length, same lines. */
  withoutComments: string;
  /** The text with comments and the contents of strings blanked. */
  code: string;
  /** The comments only, everything else blanked. */
  comments: string;
}

type Region = 'code' | 'comment' | 'string';

/** Tells code, comments and strings apart. */
export const maskSource = (text: string): MaskedSource => {
  const regions = regionsOf(text);
  const only = (...wanted: readonly Region[]): string => {
    let out = '';
    for (let index = 0; index < text.length; index += 1) {
      const char = text[index]!;
      out += char === '\n' || wanted.includes(regions[index]!) ? char : ' ';
    }
    return out;
  };
  return {
    withoutComments: only('code', 'string'),
    code: only('code'),
    comments: only('comment'),
  };
};

const regionsOf = (text: string): Region[] => {
  const regions = Array.from<Region>({ length: text.length }).fill('code');
  const mark = (from: number, to: number, region: Region): number => {
    regions.fill(region, from, to);
    return to;
  };
  /** Depths of braces at which a template literal goes on after its `${…}`. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const char = text[at]!;
    if (two === '//') at = mark(at, endOf(text, '\n', at), 'comment');
    else if (two === '/*') at = mark(at, endOf(text, '*/', at + 2) + 2, 'comment');
    else if (char === "'" || char === '"')
      at = mark(at + 1, endOfString(text, at + 1, char), 'string') + 1;
    else if (char === '`' || (char === '}' && templates.at(-1) === depth)) {
      if (char === '}') templates.pop();
      const end = endOfTemplate(text, at + 1);
      mark(at + 1, end, 'string');
      if (text[end] === '`') at = end + 1;
      else {
        templates.push(depth);
        at = end + 2;
      }
    } else if (char === '/' && startsRegex(text, at)) {
      at = mark(at + 1, endOfRegex(text, at + 1), 'string') + 1;
    } else {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      at += 1;
    }
  }
  return regions;
};

const endOf = (text: string, mark: string, from: number): number => {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
};

const endOfString = (text: string, from: number, quote: string): number => {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== '\n')
    at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
};

/** Index of the closing backtick, or of the `${` that interrupts the literal. */
const endOfTemplate = (text: string, from: number): number => {
  let at = from;
  while (at < text.length && text[at] !== '`' && text.slice(at, at + 2) !== '${') {
    at += text[at] === '\\' ? 2 : 1;
  }
  return Math.min(at, text.length);
};

const startsRegex = (text: string, at: number): boolean => {
  const before = text.slice(Math.max(0, at - 200), at).trimEnd();
  return (
    /(?:[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of))$/.test(before.slice(-12)) ||
    before === ''
  );
};

const endOfRegex = (text: string, from: number): number => {
  let inClass = false;
  let at = from;
  for (; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) break;
  }
  return at;
};

const importPattern =
  /\b(?:import|export)\b[^'";]*?\bfrom\s*(['"])([^'"\n]+)\1|\bimport\s*\(?\s*(['"])([^'"\n]+)\3/g;

/** Every import, re-export and dynamic import of a constant. */
export const importsOf = (source: MaskedSource): ImportStatement[] => {
  const found: ImportStatement[] = [];
  for (const match of source.withoutComments.matchAll(importPattern)) {
    const keyword = match[0].slice(0, 6);
    const isCode = source.code.slice(match.index, match.index + 6) === keyword;
    const specifier = match[2] ?? match[4];
    if (isCode && specifier !== undefined) {
      found.push({ specifier, line: lineAt(source.code, match.index) });
    }
  }
  return found;
};

/** Number of the line, from 1, that holds this index. */
export const lineAt = (text: string, index: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1))
    line += 1;
  return line;
};
