/**
 * Which files are different between two commits, as far as they fit into a report.
 *
 * Law: files that are watched for come first, so that of those it is always told; what does not fit is said to be
 * missing, never left out in silence.
 *
 * export changedPaths(store, from, to, watch, maxBytes?): Promise<ChangedPaths>
 */
import { git } from './run.ts';
import type { Store } from './store.ts';

export interface ChangedPaths {
  readonly changed: string[];
  /** False: there are more. */
  readonly complete: boolean;
}

/** A report's frame has a mebibyte, and a path may be all escapes. */
const reportMaxBytes = 128 * 1024;
/** More than that is not looked through; watched files are asked for by name. */
const lookMaxBytes = 16 * 1024 * 1024;

export async function changedPaths(
  store: Store,
  from: string,
  to: string,
  watch: readonly string[],
  maxBytes: number = reportMaxBytes,
): Promise<ChangedPaths> {
  const watched = watch.filter(isPlain);
  const seen = watched.length === 0 ? [] : (await between(store, from, to, watched)).paths;
  const all = await between(store, from, to, []);
  const first = new Set(seen);
  const changed = [...first];
  let room = maxBytes - changed.reduce((sum, path) => sum + sizeOf(path), 0);
  for (const path of all.paths) {
    if (first.has(path)) continue;
    room -= sizeOf(path);
    if (room < 0) return { changed, complete: false };
    changed.push(path);
  }
  return { changed, complete: !all.truncated };
}

/** Within the repository, as git lists it; anything else is no file of it. */
function isPlain(path: string): boolean {
  return path !== '' && path.split('/').every((part) => part !== '' && !/^\.\.?$/.test(part));
}

/** In JSON, escaped. */
function sizeOf(path: string): number {
  return Buffer.byteLength(JSON.stringify(path)) + 1;
}

async function between(
  store: Store,
  from: string,
  to: string,
  only: readonly string[],
): Promise<{ readonly paths: string[]; readonly truncated: boolean }> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames'];
  const safe = ['--no-ext-diff', '--no-textconv', '--end-of-options', from, to];
  const { bytes, truncated } = await git([...args, ...safe, '--', ...only], {
    gitDir: store.dir,
    env: { GIT_LITERAL_PATHSPECS: '1' },
    maxBytes: lookMaxBytes,
    truncate: true,
  });
  const paths = bytes.toString('utf8').split('\0');
  // After the last mark stands nothing, or the half of a path.
  return { paths: paths.slice(0, -1), truncated };
}
