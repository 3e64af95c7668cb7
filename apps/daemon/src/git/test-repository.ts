/**
 * What the tests of this room stand on: temporary places, people's repositories, and an agent that uses
 * git as it likes. Nothing here is used outside tests.
 *
 * Law: `asAgent` runs git with the repository's own configuration, as an agent would: what executes there
 * is the agent's doing; the daemon's operations are what is under test.
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openStore, resolveCommit } from './store.ts';
import type { Store } from './store.ts';
import { prepareWorkdir } from './workdir.ts';
import type { Prepared } from './workdir.ts';

export const identity = { name: 'Agent Smith', email: 'smith@example.test' };
export const taskId = '0198c0de-0000-7000-8000-000000000001';

export interface Place {
  readonly root: string;
  readonly home: string;
  /** A person's repository with one commit on `main`. */
  readonly repo: string;
  readonly drop: () => Promise<void>;
}

export async function makePlace(): Promise<Place> {
  const root = await realpath(await mkdtemp(join(await fastDirectory(), 'makima-git-')));
  const repo = join(root, 'repo');
  await makeRepository(repo, { 'README.md': '# Hello\n', 'src/one.ts': 'export const one = 1;\n' });
  const drop = (): Promise<void> => rm(root, { recursive: true, force: true, maxRetries: 3 });
  return { root, home: join(root, 'home'), repo, drop };
}

/** Memory where there is some: git's order of writing is under test, the speed of a disk is not. */
async function fastDirectory(): Promise<string> {
  const memory = '/dev/shm';
  return access(memory, constants.W_OK).then(
    () => memory,
    () => tmpdir(),
  );
}

export async function makeRepository(dir: string, files: Record<string, string>): Promise<string> {
  await mkdir(dir, { recursive: true });
  await asAgent(dir, 'init', '--quiet', '-b', 'main');
  return commitFiles(dir, files, 'First');
}

export async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

export async function commitFiles(
  dir: string,
  files: Record<string, string>,
  message: string,
): Promise<string> {
  await writeFiles(dir, files);
  await asAgent(dir, 'add', '--all');
  await asAgent(dir, 'commit', '--quiet', '--allow-empty', '-m', message);
  return asAgent(dir, 'rev-parse', 'HEAD');
}

/** Plain git with the repository's own configuration. Resolves to stdout, trimmed. */
export async function asAgent(dir: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd: dir,
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
      GIT_ALLOW_PROTOCOL: 'file',
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}

/** Of the person's repository; with a home of its own it is that of another machine. */
export async function makeStore(place: Place, home = place.home): Promise<Store> {
  return openStore({ home, source: place.repo, allowLocal: true });
}

export interface TaskPlace extends Prepared {
  readonly store: Store;
  readonly dir: string;
  readonly baseSha: string;
}

export async function makeTask(
  place: Place,
  store: Store,
  options: { readonly task?: string; readonly attempt?: number; readonly ref?: string } = {},
): Promise<TaskPlace> {
  const task = options.task ?? taskId;
  const name = `${task}-a${options.attempt ?? 1}`;
  const dir = join(place.root, 'work', name);
  const branch = `makima/fix-it/${name}`;
  const ref = options.ref ?? 'main';
  const start = { kind: 'commit', ref } as const;
  const prepared = await prepareWorkdir({ store, dir, branch, start, identity });
  return { ...prepared, store, dir, baseSha: (await resolveCommit(store, ref)) ?? '' };
}

/** Empty when the store is whole; dangling objects are no fault. */
export async function fsck(store: Store): Promise<string> {
  return asAgent(store.dir, '--git-dir=.', 'fsck', '--full', '--no-dangling', '--no-progress');
}
