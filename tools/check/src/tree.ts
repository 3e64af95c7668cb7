// The files of the house that the rules look at.
// Why: rules see the tree as data, so that a test can plant a violation in a small tree of its own.
// Law: paths are relative to the root and use forward slashes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maskSource, type MaskedSource } from './source.ts';

export interface SourceFile extends MaskedSource {
  path: string;
  text: string;
}

export interface Tree {
  root: string;
  /** Every TypeScript file. */
  sources: readonly SourceFile[];
  /** Every other text file that people write. */
  others: readonly { path: string; text: string }[];
}

export interface Violation {
  path: string;
  line: number;
  rule: string;
  /** What is wrong and why it matters. */
  message: string;
}

const skipped = new Set(['node_modules', '.git', '.cache', '.makima', 'dist', 'coverage']);
const otherKinds = /\.(?:json|ya?ml|md|sh|sql|toml)$|(?:^|\/)(?:makima|Dockerfile|run)$/;

export const readTree = (root: string): Tree => {
  const sources: SourceFile[] = [];
  const others: { path: string; text: string }[] = [];
  for (const path of walk(root, '')) {
    const text = readFileSync(join(root, path), 'utf8');
    if (/\.(?:ts|tsx)$/.test(path)) sources.push({ path, text, ...maskSource(text) });
    else others.push({ path, text });
  }
  return { root, sources, others };
};

const walk = (root: string, dir: string): string[] =>
  readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = dir === '' ? entry.name : `${dir}/${entry.name}`;
    if (skipped.has(entry.name) || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return walk(root, path);
    return /\.tsx?$/.test(path) || otherKinds.test(path) ? [path] : [];
  });
