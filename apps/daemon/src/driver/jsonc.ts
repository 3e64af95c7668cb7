/**
 * Reading JSON as people write it into settings: with comments and commas before a closing bracket.
 *
 * Law: total; text within strings is left as it is, what cannot be read is null.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Json } from './json.ts';
import { jsonOf } from './json.ts';

/** Strings, comments, and commas that nothing follows but a closing bracket. */
const parts = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=\s*[}\]])/g;

export function jsoncOf(text: string): Json | null {
  const bare = text.replaceAll(parts, (part) => (/^\/[/*]/.test(part) ? ' ' : part));
  return jsonOf(bare.replaceAll(parts, (part) => (part.startsWith('"') ? part : '')));
}

/** The object in a file of settings; null when it is not there or cannot be read. */
export function readSettings(path: string): Json | null {
  try {
    return jsoncOf(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Whether settings of a repository name one of these keys at their top, or cannot be read: then nobody can tell
 * what they say.
 */
export function settingsSay(path: string, keys: readonly string[]): boolean {
  if (!existsSync(path)) return false;
  const settings = readSettings(path);
  return settings === null || keys.some((key) => settings[key] !== undefined);
}
