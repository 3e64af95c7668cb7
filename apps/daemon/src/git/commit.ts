/**
 * Commits in the store without a working tree: make one, ask how two are related, count what differs.
 *
 * Law: authors and dates are given by us; a message is data on stdin; trailers name the task it came from.
 *
 * export commitTree(store, { tree, parents, message, identity? }): Promise<string>
 * export isAncestor(store, ancestor, descendant): Promise<boolean>
 * export treeOf(store, commit): Promise<string>
 * export parentOf(store, commit): Promise<string | null>
 * export countChanges(store, from, to): Promise<ChangeCount>
 * export publicBase(store, sha): Promise<string>    nearest commit that the source itself has
 * export updateRefs(store, lines): Promise<void>    one transaction, each line as of `update-ref --stdin`
 */
import { assertSha, publicRefs } from './names.ts';
import { git } from './run.ts';
import type { Store } from './store.ts';

export interface Identity {
  readonly name: string;
  readonly email: string;
}

export interface ChangeCount {
  readonly filesChanged: number;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

export const makimaIdentity: Identity = { name: 'makima', email: 'makima@localhost' };

export async function commitTree(
  store: Store,
  commit: {
    readonly tree: string;
    readonly parents: readonly string[];
    readonly message: string;
    readonly identity?: Identity;
  },
): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  const { stdout } = await git(['commit-tree', ...parents, '-F', '-', commit.tree], {
    gitDir: store.dir,
    input: `${cleanMessage(commit.message)}\n`,
    env: identityEnv(commit.identity ?? makimaIdentity),
  });
  return stdout.trim();
}

/** git takes `<`, `>` and line ends out of a name; an empty one it refuses. */
export function identityEnv(identity: Identity): Record<string, string> {
  const name = oneLine(identity.name) || makimaIdentity.name;
  const email = oneLine(identity.email) || makimaIdentity.email;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

export function oneLine(text: string): string {
  return text
    .replaceAll(/[<>\p{Cc}]/gu, ' ')
    .trim()
    .slice(0, 200);
}

/** Fsck refuses NUL in a commit; an empty message is no message. */
function cleanMessage(message: string): string {
  const text = message.replaceAll('\0', '').replaceAll('\r\n', '\n').trim().slice(0, 65_536);
  return text === '' ? 'makima' : text;
}

export async function isAncestor(
  store: Pick<Store, 'dir'>,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', '--end-of-options', ancestor, descendant];
  return (await git(args, { gitDir: store.dir, okCodes: [0, 1] })).exitCode === 0;
}

export async function treeOf(store: Pick<Store, 'dir'>, commit: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{tree}`];
  return (await git(args, { gitDir: store.dir })).stdout.trim();
}

/** The first one; null for a commit without any. */
export async function parentOf(store: Pick<Store, 'dir'>, commit: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^1`];
  return (await git(args, { gitDir: store.dir, okCodes: [0, 1] })).stdout.trim() || null;
}

/** Binary files count as files without lines. */
export async function countChanges(store: Store, from: string, to: string): Promise<ChangeCount> {
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--numstat',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
  ];
  const { stdout } = await git([...args, '--end-of-options', from, to], { gitDir: store.dir });
  const rows = stdout.split('\0').filter((row) => row !== '');
  let linesAdded = 0;
  let linesRemoved = 0;
  for (const row of rows) {
    const [added = '-', removed = '-'] = row.split('\t', 2);
    linesAdded += Number.parseInt(added, 10) || 0;
    linesRemoved += Number.parseInt(removed, 10) || 0;
  }
  return { filesChanged: rows.length, linesAdded, linesRemoved };
}

/**
 * A patch is of use elsewhere only against a commit that every copy of the source has: this one if the
 * source has it, else the newest of its ancestors that the source has.
 */
export async function publicBase(store: Store, sha: string): Promise<string> {
  // What we delivered ourselves came back under origin/makima: other copies do not have it.
  const known = publicRefs.map((prefix) => `--glob=${prefix}/*`);
  const own = '--exclude=refs/remotes/origin/makima/*';
  const args = ['rev-list', '--boundary', '--topo-order', assertSha(sha), '--not', own, ...known];
  const { stdout } = await git(args, { gitDir: store.dir });
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length === 0) return sha;
  const boundary = lines.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
  return boundary[0] ?? sha;
}

export async function updateRefs(store: Store, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const input = ['start', ...lines, 'prepare', 'commit', ''].join('\n');
  await git(['update-ref', '--no-deref', '--stdin'], { gitDir: store.dir, input });
}
