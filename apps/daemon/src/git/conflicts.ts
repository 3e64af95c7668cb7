/**
 * What `merge-tree` says about conflicts, as both sides of every clash.
 *
 * Law: a text conflict shows each hunk with its markers; a side that deleted the file is null; a binary
 * file says so; sizes are capped with a mark, never cut in silence.
 *
 * export readConflicts(store, tree, output): Promise<MergeConflict[]>
 */
import { git } from './run.ts';
import type { Store } from './store.ts';

export interface MergeConflict {
  readonly path: string;
  /** What the branch has there: the sides of the hunks, or the whole file; null when it has none. */
  readonly ours: string | null;
  /** What the work to merge has there. */
  readonly theirs: string | null;
  /** Each clash with its markers. */
  readonly hunks: readonly string[];
}

const sideMaxBytes = 64 * 1024;
/** All conflicts of a merge travel in one frame. */
const totalMaxChars = 192 * 1024;
const conflictsMax = 200;
const tooLarge = '(too large to show)';

interface Sides {
  ours?: string;
  theirs?: string;
}

/** `output`: tree, then `mode id stage TAB path` records, an empty one, then messages; NUL between. */
export async function readConflicts(
  store: Store,
  tree: string,
  output: string,
): Promise<MergeConflict[]> {
  const records = output.split('\0').slice(1);
  const end = records.indexOf('');
  const sides = new Map<string, Sides>();
  for (const record of records.slice(0, end === -1 ? undefined : end)) {
    const [info, path] = splitOnce(record, '\t');
    const [, id = '', stage = ''] = info.split(' ');
    const entry = sides.get(path) ?? {};
    if (stage === '2') entry.ours = id;
    if (stage === '3') entry.theirs = id;
    sides.set(path, entry);
  }
  const conflicts: MergeConflict[] = [];
  let room = totalMaxChars;
  for (const [path, entry] of [...sides].slice(0, conflictsMax)) {
    const conflict = await describe(store, tree, path, entry);
    room -= JSON.stringify(conflict).length;
    conflicts.push(room < 0 ? withoutText(conflict) : conflict);
  }
  return conflicts.length > 0 ? conflicts : [unnamed(records.slice(end + 1))];
}

async function describe(
  store: Store,
  tree: string,
  path: string,
  sides: Sides,
): Promise<MergeConflict> {
  if (sides.ours !== undefined && sides.theirs !== undefined) {
    const merged = await blobText(store, `${tree}:${path}`);
    const hunks = merged === null ? [] : markedHunks(merged);
    if (hunks.length > 0) {
      const ours = hunks.map((hunk) => side(hunk, 'ours')).join('\n');
      const theirs = hunks.map((hunk) => side(hunk, 'theirs')).join('\n');
      return { path, ours, theirs, hunks };
    }
  }
  const whole = async (id: string | undefined): Promise<string | null> =>
    id === undefined ? null : ((await blobText(store, id)) ?? '(binary or too large)');
  return { path, ours: await whole(sides.ours), theirs: await whole(sides.theirs), hunks: [] };
}

function withoutText(conflict: MergeConflict): MergeConflict {
  const cut = (text: string | null): string | null => (text === null ? null : tooLarge);
  return { path: conflict.path, ours: cut(conflict.ours), theirs: cut(conflict.theirs), hunks: [] };
}

/** Null for what is no text: binary, too large, or not a file. */
async function blobText(store: Store, object: string): Promise<string | null> {
  const found = await git(['cat-file', 'blob', object], {
    gitDir: store.dir,
    okCodes: [0, 128],
    maxBytes: sideMaxBytes,
    truncate: true,
  });
  if (found.exitCode !== 0 || found.truncated || found.bytes.includes(0)) return null;
  return found.stdout;
}

function markedHunks(text: string): string[] {
  const hunks: string[] = [];
  let open: string[] | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('<<<<<<< ')) open = [];
    open?.push(line);
    if (open !== null && line.startsWith('>>>>>>> ')) {
      hunks.push(open.join('\n'));
      open = null;
    }
  }
  return hunks;
}

function side(hunk: string, which: 'ours' | 'theirs'): string {
  const lines = hunk.split('\n').slice(1, -1);
  const middle = lines.indexOf('=======');
  return (which === 'ours' ? lines.slice(0, middle) : lines.slice(middle + 1)).join('\n');
}

/** A conflict without stages (a directory in the way): its message says what it is about. */
function unnamed(messages: readonly string[]): MergeConflict {
  const text = messages
    .filter((part) => part.includes('CONFLICT'))
    .join('\n')
    .slice(0, sideMaxBytes);
  return { path: messages[1] ?? '', ours: null, theirs: null, hunks: text === '' ? [] : [text] };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
