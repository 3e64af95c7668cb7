/**
 * One file below a root, read so that nothing outside the root can come out, even while somebody swaps
 * directories for links.
 *
 * Law: open first (no link in the last part, no blocking), then ask what was opened: a regular file whose
 * real place is below the root; then read that very descriptor. Never check a path and open it after.
 *
 * export readBelow(root, path, options?: { maxBytes?, denied? }): Promise<FileAnswer>
 * export openBelow(root, path): Promise<OpenBelow>           for copying; the caller closes
 * export isDenied(path): boolean                              .git, .env*, .claude/settings*
 */
import { constants } from 'node:fs';
import { lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';

export type FileAnswer =
  | {
      readonly kind: 'text';
      readonly path: string;
      readonly content: string;
      readonly bytes: number;
    }
  | { readonly kind: 'binary'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'refused'; readonly path: string; readonly reason: FileRefusal };

export type FileRefusal =
  | 'path_outside_worktree'
  | 'denied'
  | 'not_a_file'
  | 'too_large'
  | 'unreadable'
  | 'root_unsafe';

export type OpenBelow =
  | {
      readonly handle: FileHandle;
      readonly bytes: number;
      readonly mode: number;
      readonly place: string;
    }
  | { readonly refusal: FileRefusal | 'missing' };

const defaultMaxBytes = 1024 * 1024;
const pathMaxChars = 4_096;
const binaryProbeBytes = 8_000;
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export async function readBelow(
  root: string,
  path: string,
  options: { readonly maxBytes?: number; readonly denied?: (path: string) => boolean } = {},
): Promise<FileAnswer> {
  const denied = options.denied ?? isDenied;
  if (isSafeRelative(path) && denied(path)) return { kind: 'refused', path, reason: 'denied' };
  const opened = await openBelow(root, path);
  if ('refusal' in opened) {
    return opened.refusal === 'missing'
      ? { kind: 'missing', path }
      : { kind: 'refused', path, reason: opened.refusal };
  }
  try {
    // The place that was opened may have another name than the one asked for, by a link below the root.
    if (denied(opened.place)) return { kind: 'refused', path, reason: 'denied' };
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    const content = opened.bytes > maxBytes ? null : await readUpTo(opened.handle, maxBytes);
    if (content === null) return { kind: 'refused', path, reason: 'too_large' };
    return asAnswer(path, content);
  } catch {
    return { kind: 'refused', path, reason: 'unreadable' };
  } finally {
    await opened.handle.close();
  }
}

/** Case is folded: on some file systems `.GIT` is `.git`. */
export function isDenied(path: string): boolean {
  const parts = path.toLowerCase().split('/');
  const name = parts.at(-1) ?? '';
  if (parts.includes('.git') || name.startsWith('.env')) return true;
  return parts.includes('.claude') && name.startsWith('settings');
}

/** Components only: no root, no way up, nothing that another decoder would turn into one. */
function isSafeRelative(path: string): boolean {
  if (typeof path !== 'string' || path === '' || path.length > pathMaxChars) return false;
  if (/[\0\\]/.test(path) || /%(?:2e|2f|5c|00)/i.test(path) || path.startsWith('/')) return false;
  return path.split('/').every((part) => {
    const plain = part.normalize('NFKC');
    return part !== '' && !/^\.{1,2}$/.test(plain) && !plain.includes('/') && !plain.includes('\\');
  });
}

export async function openBelow(root: string, path: string): Promise<OpenBelow> {
  if (!isSafeRelative(path)) return { refusal: 'path_outside_worktree' };
  const base = await lstat(root).then(
    (found) => (found.isDirectory() ? realpath(root) : null),
    () => null,
  );
  if (base === null) return { refusal: 'root_unsafe' };
  let handle: FileHandle;
  try {
    handle = await open(join(root, path), flags);
  } catch (error) {
    return { refusal: refusalOf(error) };
  }
  const verdict = await judge(handle, base, join(root, path)).catch(() => 'unreadable' as const);
  if (typeof verdict === 'object') return verdict;
  await handle.close();
  return { refusal: verdict };
}

async function judge(
  handle: FileHandle,
  base: string,
  asked: string,
): Promise<OpenBelow | FileRefusal> {
  const found = await handle.stat();
  const place = await placeOf(handle, asked, found);
  if (place === null || !place.startsWith(`${base}/`)) return 'path_outside_worktree';
  if (!found.isFile()) return 'not_a_file';
  return { handle, bytes: found.size, mode: found.mode, place: relative(base, place) };
}

/**
 * Linux tells where a descriptor stands. Elsewhere: the resolved path, if what stands there is the very
 * inode that we hold.
 */
async function placeOf(
  handle: FileHandle,
  asked: string,
  found: { readonly dev: number; readonly ino: number },
): Promise<string | null> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`);
  const resolved = await realpath(asked);
  const there = await stat(resolved);
  return there.dev === found.dev && there.ino === found.ino ? resolved : null;
}

function refusalOf(error: unknown): FileRefusal | 'missing' {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'missing';
    case 'ELOOP':
      return 'path_outside_worktree';
    case 'ENXIO':
      // A pipe or socket without the other end.
      return 'not_a_file';
    default:
      return 'unreadable';
  }
}

/** Null when the file turns out larger than it said. */
export async function readUpTo(handle: FileHandle, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const room = Buffer.alloc(Math.min(64 * 1024, maxBytes + 1 - size));
    const { bytesRead } = await handle.read(room, 0, room.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > maxBytes) return null;
    chunks.push(room.subarray(0, bytesRead));
  }
}

function asAnswer(path: string, content: Buffer): FileAnswer {
  const bytes = content.length;
  if (content.subarray(0, binaryProbeBytes).includes(0)) return { kind: 'binary', path, bytes };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    return { kind: 'text', path, content: text.replaceAll('\0', '\uFFFD'), bytes };
  } catch {
    return { kind: 'binary', path, bytes };
  }
}
