/**
 * Files that a task needs but the repository does not hold (`.env`, local settings), copied from the
 * person's checkout into a new working directory, and hidden from commits and checkpoints there.
 *
 * Law: only regular files below the source, only to places below the target that are real directories;
 * a file that the checkout brought stays; what was not copied is named with its reason.
 *
 * export copyFiles(from, to, paths): Promise<CopyReport>
 * export excludeLines(paths): string
 */
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kindOf } from './plain-file.ts';
import { openBelow, readUpTo } from './read-file.ts';

export interface CopyReport {
  readonly copied: readonly string[];
  readonly notCopied: readonly { readonly path: string; readonly reason: string }[];
}

const filesMax = 1_000;
const fileMaxBytes = 16 * 1024 * 1024;

export async function copyFiles(
  from: string,
  to: string,
  paths: readonly string[],
): Promise<CopyReport> {
  const copied: string[] = [];
  const notCopied: { path: string; reason: string }[] = [];
  for (const [index, path] of paths.entries()) {
    const reason = index < filesMax ? await copyOne(from, to, path) : 'too_many';
    if (reason === null) copied.push(path);
    else notCopied.push({ path, reason });
  }
  return { copied, notCopied };
}

async function copyOne(from: string, to: string, path: string): Promise<string | null> {
  if (path.toLowerCase().split('/').includes('.git')) return 'denied';
  const opened = await openBelow(from, path);
  if ('refusal' in opened) return opened.refusal;
  try {
    const content = await readUpTo(opened.handle, fileMaxBytes);
    if (content === null) return 'too_large';
    if (!(await makeParents(to, path))) return 'target_unsafe';
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const mode = (opened.mode & 0o100) === 0 ? 0o600 : 0o700;
    const target = await open(join(to, path), flags, mode).catch(() => null);
    if (target === null) return 'target_exists';
    try {
      await target.writeFile(content);
    } finally {
      await target.close();
    }
    return null;
  } finally {
    await opened.handle.close();
  }
}

/** The checkout may have brought a link where a directory is meant: nothing is written through it. */
async function makeParents(root: string, path: string): Promise<boolean> {
  const parts = dirname(path)
    .split('/')
    .filter((part) => part !== '.');
  let directory = root;
  for (const part of parts) {
    directory = join(directory, part);
    if ((await kindOf(directory)) === 'missing') await mkdir(directory);
    if ((await kindOf(directory)) !== 'directory') return false;
  }
  return true;
}

/** Patterns for info/exclude that match exactly these paths. */
export function excludeLines(paths: readonly string[]): string {
  const escaped = paths
    .filter((path) => !path.includes('\n'))
    .map(
      (path) => `/${path.replaceAll(/[\\*?[\]]/g, String.raw`\$&`).replace(/ $/, String.raw`\ `)}`,
    );
  return escaped.length === 0 ? '' : `${escaped.join('\n')}\n`;
}
