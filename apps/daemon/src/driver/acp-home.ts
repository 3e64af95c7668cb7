/**
 * Folders of one's own for an agent, with links to what of the person's must be found there (a sign-in, the
 * settings of other programs).
 *
 * Law: nothing of the person's is copied or written; a link is made anew at each start.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Links to those of `names` that are there. */
export function linkFiles(from: string, to: string, names: readonly string[]): void {
  for (const name of names) {
    rmSync(join(to, name), { force: true, recursive: true });
    if (existsSync(join(from, name))) symlinkSync(join(from, name), join(to, name));
  }
}

/** Links to everything in a folder but `except`. */
export function linkOthers(from: string, to: string, except: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(from);
  } catch {
    return;
  }
  linkFiles(
    from,
    to,
    names.filter((name) => name !== except),
  );
}

export function writeJson(path: string, value: unknown): string {
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  return path;
}
