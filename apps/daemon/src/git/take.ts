/**
 * The agent's commits into the store. The agent's `.git` is read as data; git reads its objects through
 * our own git directory, and upload-pack brings over what the store lacks.
 *
 * Law: never with the agent's configuration; its ref names are believed only as a list of ids; every
 * object is checked on the way in; whatever a rewritten history left behind (reflog, other branches,
 * stash) is kept on a ref, so that no commit made by an agent becomes unreachable.
 *
 * export takeCommits(workdir, { task, attempt }): Promise<Taken>
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commitTree, isAncestor, treeOf, updateRefs } from './commit.ts';
import { GitFailure } from './failure.ts';
import { readRefs, readRememberedIds } from './gitdir.ts';
import { withRepoLock } from './lock.ts';
import { keptRef, taskRef } from './names.ts';
import { git } from './run.ts';
import { ensureShadow, inspectGitDir } from './shadow.ts';
import type { AgentRepository, Workdir } from './shadow.ts';
import { resolveCommit } from './store.ts';

export interface TakeOptions {
  readonly task: string;
  readonly attempt: number;
}

export interface Taken {
  /** The task's ref in the store. */
  readonly ref: string;
  /** Its commit: HEAD of the agent's repository; null when HEAD has none. */
  readonly headSha: string | null;
  readonly previousSha: string | null;
  /** The agent's branch as it stood, for people; null when detached. */
  readonly branch: string | null;
  /** Where commits beside the branch are kept; null when there are none. */
  readonly keptRef: string | null;
  /** Commits that could not be taken because git finds them faulty. */
  readonly refusedIds: readonly string[];
}

export async function takeCommits(workdir: Workdir, options: TakeOptions): Promise<Taken> {
  const repository = await inspectGitDir(workdir);
  const ref = taskRef(options.task, options.attempt);
  const space = ref.replace('refs/makima/tasks/', 'refs/makima/incoming/');
  return withRepoLock(workdir.shadowDir, async () => {
    await ensureShadow(workdir);
    const ids = await existingCommits(workdir, await claimedIds(repository));
    return withRepoLock(workdir.store.dir, async () => {
      const previousSha = await resolveCommit(workdir.store, ref);
      const head = repository.headSha === null ? null : (ids.get(repository.headSha) ?? null);
      const tips = await storeTips(workdir);
      const all = [...new Set(ids.values())].filter((id) => id !== head);
      const others = await unheld(workdir, all, head === null ? tips : [head, ...tips]);
      const isNew = head !== null && (await unheld(workdir, [head], tips)).length > 0;
      const isSame = !isNew && head === previousSha && others.length === 0;
      if (isSame) return sameAsBefore(ref, repository, head);
      const refusedIds = await bringOver(workdir, space, isNew ? head : null, others);
      const kept = await settle(workdir, options, { ref, space, previousSha, head });
      return {
        ref,
        headSha: head,
        previousSha,
        branch: repository.headRef?.replace('refs/heads/', '') ?? null,
        keptRef: kept,
        refusedIds,
      };
    });
  });
}

async function claimedIds(repository: AgentRepository): Promise<string[]> {
  const refs = await readRefs(repository.place);
  const remembered = await readRememberedIds(repository.place);
  const head = repository.headSha === null ? [] : [repository.headSha];
  return [...new Set([...head, ...refs.values(), ...remembered])];
}

/** Claimed id to commit id, for those that git finds and that are (or lead to) commits. */
async function existingCommits(workdir: Workdir, ids: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (ids.length === 0) return found;
  const objects = join(workdir.shadowDir, 'objects/info');
  await mkdir(objects, { recursive: true });
  const borrowed = [join(workdir.store.dir, 'objects'), join(workdir.dir, '.git/objects')];
  await writeFile(join(objects, 'alternates'), `${borrowed.join('\n')}\n`);
  const input = `${ids.map((id) => `${id}^{commit}`).join('\n')}\n`;
  const { stdout } = await git(['cat-file', '--batch-check', '--buffer'], {
    gitDir: workdir.shadowDir,
    input,
  });
  const lines = stdout.split('\n');
  for (const [index, id] of ids.entries()) {
    const [sha = '', type] = (lines[index] ?? '').split(' ');
    if (type === 'commit') found.set(id, sha);
  }
  return found;
}

function sameAsBefore(ref: string, repository: AgentRepository, head: string | null): Taken {
  const branch = repository.headRef?.replace('refs/heads/', '') ?? null;
  return { ref, headSha: head, previousSha: head, branch, keptRef: null, refusedIds: [] };
}

async function storeTips(workdir: Workdir): Promise<string[]> {
  const { stdout } = await git(['for-each-ref', '--format=%(objecttype) %(objectname)'], {
    gitDir: workdir.store.dir,
  });
  const commits = stdout.split('\n').filter((line) => line.startsWith('commit '));
  return [...new Set(commits.map((line) => line.slice(7)))];
}

/**
 * Of these commits the newest of each line that none of the known ones reaches. Where the agent's history
 * is torn git cannot tell: then all of them count.
 */
async function unheld(
  workdir: Workdir,
  ids: readonly string[],
  known: readonly string[],
): Promise<readonly string[]> {
  if (ids.every((id) => known.includes(id))) return [];
  const input = [...ids, ...known.map((id) => `^${id}`), ''].join('\n');
  const run = { gitDir: workdir.shadowDir, input, okCodes: [0, 128] };
  const listed = await git(['rev-list', '--parents', '--stdin'], run);
  return listed.exitCode === 0 ? newest(listed.stdout) : ids;
}

/** From `rev-list --parents`: commits that are nobody's parent. */
function newest(listed: string): string[] {
  const lines = listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
  const parents = new Set(lines.flatMap((line) => line.slice(1)));
  return lines.map((line) => line[0] ?? '').filter((id) => !parents.has(id));
}

/**
 * Everything at once; when something in it is faulty, the head alone, then the others one by one. Returns
 * those that were refused.
 */
async function bringOver(
  workdir: Workdir,
  space: string,
  head: string | null,
  others: readonly string[],
): Promise<readonly string[]> {
  const ids = head === null ? others : [head, ...others];
  try {
    await fetchIds(workdir, space, ids);
    return [];
  } catch (error) {
    if (!(error instanceof GitFailure) || error.ending !== 'exit' || others.length === 0)
      throw error;
  }
  if (head !== null) await fetchIds(workdir, space, [head]);
  const refused: string[] = [];
  for (const id of others) {
    try {
      await fetchIds(workdir, space, [id]);
    } catch (error) {
      if (!(error instanceof GitFailure) || error.ending !== 'exit') throw error;
      refused.push(id);
    }
  }
  return refused;
}

async function fetchIds(workdir: Workdir, space: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await rm(join(workdir.shadowDir, 'refs/take'), { recursive: true, force: true });
  await rm(join(workdir.shadowDir, 'packed-refs'), { force: true });
  const input = ids.map((id) => `create refs/take/${id} ${id}\n`).join('');
  await git(['update-ref', '--stdin'], { gitDir: workdir.shadowDir, input });
  await git(
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--upload-pack=git-upload-pack',
      '--',
      workdir.shadowDir,
      `+refs/take/*:${space}/*`,
    ],
    { gitDir: workdir.store.dir, transport: 'file', timeoutMs: 300_000 },
  );
}

/** Move the task's ref, put on a kept ref what nothing else reaches, and drop the landing place. */
async function settle(
  workdir: Workdir,
  options: TakeOptions,
  at: { ref: string; space: string; previousSha: string | null; head: string | null },
): Promise<string | null> {
  const { store } = workdir;
  const landed = await git(['for-each-ref', '--format=%(refname)', at.space], {
    gitDir: store.dir,
  });
  const incoming = landed.stdout.split('\n').filter((name) => name !== '');
  const moves = at.head !== null && at.head !== at.previousSha;
  const rewritten =
    moves && at.previousSha !== null && !(await isAncestor(store, at.previousSha, at.head ?? ''));
  if (rewritten) {
    incoming.push(`${at.space}/${at.previousSha}`);
    await updateRefs(store, [`update ${at.space}/${at.previousSha} ${at.previousSha}`]);
  }
  if (moves) {
    const former = at.previousSha ?? '0'.repeat((at.head ?? '').length);
    await updateRefs(store, [`update ${at.ref} ${at.head} ${former}`]);
  }
  const loose = incoming.length === 0 ? [] : await looseHeads(workdir, at.space);
  const kept = loose.length === 0 ? null : await keepLoose(workdir, options, loose);
  await updateRefs(
    store,
    [...new Set(incoming)].map((name) => `delete ${name}`),
  );
  return kept;
}

/** Commits in the landing place that no other ref reaches, newest of each line only. */
async function looseHeads(workdir: Workdir, space: string): Promise<string[]> {
  const others = ['--not', '--exclude=refs/makima/incoming/*', '--all'];
  const { stdout } = await git(['rev-list', '--parents', `--glob=${space}`, ...others], {
    gitDir: workdir.store.dir,
  });
  return newest(stdout);
}

/** One ref for all of them: a commit whose parents they are, and what the ref held before. */
async function keepLoose(
  workdir: Workdir,
  options: TakeOptions,
  loose: readonly string[],
): Promise<string> {
  const { store } = workdir;
  const ref = keptRef(options.task, options.attempt, 'loose');
  const former = await resolveCommit(store, ref);
  const parents = former === null ? [...loose] : [former, ...loose];
  const [only = ''] = parents;
  const message = `Commits that no branch of ${options.task} held any more\n\n${loose.join('\n')}`;
  const sha =
    parents.length === 1
      ? only
      : await commitTree(store, { tree: await treeOf(store, only), parents, message });
  await updateRefs(store, [`update ${ref} ${sha} ${former ?? '0'.repeat(sha.length)}`]);
  return ref;
}
