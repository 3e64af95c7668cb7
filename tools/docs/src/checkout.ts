/**
 * Where the checkout is, and its files as text.
 *
 * Law: paths are relative to the root and use forward slashes.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../../..');

/** @throws Error naming the file when the checkout does not have it. */
export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** This path, when there is such a file. */
export function existing(path: string): string | undefined {
  return existsSync(join(root, path)) ? path : undefined;
}

/** Every file below a folder, sorted; not what is installed there, and not through links. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isFile()) return [path];
      return entry.isDirectory() && entry.name !== 'node_modules' ? filesBelow(path) : [];
    })
    .toSorted();
}

/** Every TypeScript file below a folder that is no test and serves none, sorted. */
export function sourcesBelow(folder: string): string[] {
  return filesBelow(folder).filter((path) => path.endsWith('.ts') && !isForTests(path));
}

function isForTests(path: string): boolean {
  return /\.test\.ts$|\/(?:test|testing|fixtures)\/|\/test-[^/]+\.ts$/.test(path);
}
