// A small tree in a temporary folder, in which tests plant violations.
// Why: each rule is proven to find what it is for, without touching the real tree.
// Law: removed when the test is over.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readTree, type Tree } from './tree.ts';

/** Writes these files and reads them as a tree. */
export const plant = (files: Readonly<Record<string, string>>): Tree => {
  const root = mkdtempSync(join(tmpdir(), 'makima-tree-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readTree(root);
};
