/**
 * What differs between two commits, or between a commit and the files on disk: as text and as structure.
 *
 * Law: no external diff, no textconv, nothing of the repository's configuration; what a cap cut off is
 * marked by `truncated`; counts are always of the whole. The shapes are those of the wire contract.
 *
 * export diffCommits(store, from, to, limits?): Promise<Diff>
 * export diffWorkdir(workdir, { baseSha, task, attempt }, limits?): Promise<Diff>
 */
import { saveFiles } from './checkpoint.ts';
import { refuse } from './failure.ts';
import { parsePatch } from './parse-patch.ts';
import type { PatchSection } from './parse-patch.ts';
import { git } from './run.ts';
import type { Workdir } from './shadow.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

export interface DiffHunk {
  /** As git writes it: `@@ -1,3 +1,4 @@ context`. */
  readonly header: string;
  /** With their first character: space, `+`, `-` or `\`. */
  readonly lines: readonly string[];
}

export interface DiffFile {
  readonly path: string;
  readonly action: 'added' | 'modified' | 'deleted';
  readonly additions: number;
  readonly deletions: number;
  readonly binary: boolean;
  readonly hunks: readonly DiffHunk[];
}

export interface Diff {
  /** Unified text. */
  readonly diff: string;
  readonly files: readonly DiffFile[];
  readonly stats: {
    readonly filesChanged: number;
    readonly insertions: number;
    readonly deletions: number;
  };
  /** Text, files or hunks are missing because a cap was reached. */
  readonly truncated: boolean;
}

export interface DiffLimits {
  /** Of the unified text. */
  readonly maxBytes?: number;
  readonly filesMax?: number;
  readonly linesPerFileMax?: number;
}

/** Text and structure of one diff travel together in one frame of at most 1 MiB. */
const defaults = { maxBytes: 192 * 1024, filesMax: 2_000, linesPerFileMax: 20_000 };
const plumbing = [
  'diff-tree',
  '-r',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
];

/** `from` and `to`: branch, tag, full ref or commit id of the store. */
export async function diffCommits(
  store: Store,
  from: string,
  to: string,
  limits: DiffLimits = {},
): Promise<Diff> {
  const ends = await Promise.all([from, to].map((name) => resolveCommit(store, name)));
  const [a, b] = ends;
  if (a === null || a === undefined || b === null || b === undefined) {
    throw refuse('ref_missing', 'A commit to compare is not in the store');
  }
  return diffTrees(store, a, b, limits);
}

/** The agent's commits come over on the way, its files are compared as they are now. */
export async function diffWorkdir(
  workdir: Workdir,
  options: { readonly baseSha: string; readonly task: string; readonly attempt: number },
  limits: DiffLimits = {},
): Promise<Diff> {
  const saved = await saveFiles(workdir, { ...options, onBrokenGit: 'files_only' });
  return diffTrees(workdir.store, options.baseSha, saved.tree, limits);
}

async function diffTrees(store: Store, a: string, b: string, limits: DiffLimits): Promise<Diff> {
  const caps = { ...defaults, ...limits };
  const run = { gitDir: store.dir, maxBytes: 256 * 1024 * 1024 };
  const listed = await git(
    [...plumbing, '-z', '--raw', '--numstat', '--end-of-options', a, b],
    run,
  );
  const all = parseList(listed.stdout);
  const patch = await git(
    [
      ...plumbing,
      '-p',
      '--full-index',
      '-U3',
      '--src-prefix=a/',
      '--dst-prefix=b/',
      '--end-of-options',
      a,
      b,
    ],
    { ...run, maxBytes: caps.maxBytes, truncate: true },
  );
  // A NUL survives only in text that git mistook for such; Postgres takes none.
  const whole = patch.stdout.replaceAll('\0', '\uFFFD');
  const text = patch.truncated ? whole.slice(0, whole.lastIndexOf('\n') + 1) : whole;
  const { files, cut } = join(all, parsePatch(text), caps);
  return {
    diff: text,
    files,
    stats: {
      filesChanged: all.length,
      insertions: all.reduce((sum, file) => sum + file.additions, 0),
      deletions: all.reduce((sum, file) => sum + file.deletions, 0),
    },
    truncated: patch.truncated || cut,
  };
}

interface ListedFile {
  readonly path: string;
  readonly action: DiffFile['action'];
  /** A file became a link or the reverse: the patch has two sections for it. */
  readonly sections: number;
  additions: number;
  deletions: number;
  binary: boolean;
}

/** `:mode mode id id STATUS NUL path NUL` for all files, then `added TAB removed TAB path NUL`. */
function parseList(output: string): ListedFile[] {
  const fields = output.split('\0');
  const files = new Map<string, ListedFile>();
  let at = 0;
  for (; fields[at]?.startsWith(':') === true; at += 2) {
    const status = fields[at]?.split(' ')[4]?.[0] ?? 'M';
    const path = fields[at + 1] ?? '';
    const action = status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'modified';
    const sections = status === 'T' ? 2 : 1;
    files.set(path, { path, action, sections, additions: 0, deletions: 0, binary: false });
  }
  for (; at < fields.length; at += 1) {
    const [, plus = '', minus = '', path = ''] =
      /^(-|\d+)\t(-|\d+)\t([\s\S]*)$/.exec(fields[at] ?? '') ?? [];
    const file = files.get(path);
    if (file === undefined) continue;
    file.binary = plus === '-';
    file.additions = Number.parseInt(plus, 10) || 0;
    file.deletions = Number.parseInt(minus, 10) || 0;
  }
  return [...files.values()];
}

/** Sections stand in the order of the list, so that no path has to be read out of a header. */
function join(
  all: readonly ListedFile[],
  sections: readonly PatchSection[],
  caps: typeof defaults,
): { readonly files: DiffFile[]; readonly cut: boolean } {
  let next = 0;
  let cut = all.length > caps.filesMax;
  const files = all.slice(0, caps.filesMax).map(({ sections: count, ...file }) => {
    const own = sections.slice(next, next + count).flatMap((section) => section.hunks);
    next += count;
    const hunks: DiffHunk[] = [];
    let room = caps.linesPerFileMax;
    for (const hunk of own) {
      room -= hunk.lines.length;
      if (room >= 0) hunks.push(hunk);
      else cut = true;
    }
    return { ...file, hunks };
  });
  return { files, cut };
}
