/**
 * The daemon's own bare repository of a source: everything that makima does with commits happens here.
 *
 * Law: made by init and fetch, never by clone; nothing of the source's hooks or configuration runs; the
 * source's branches stand under refs/remotes/origin, makima's own under refs/heads/makima and
 * refs/makima; objects are never pruned, for tasks' repositories borrow them.
 *
 * export openStore(options: OpenStoreOptions): Promise<Store>          makes it when needed
 * export refreshStore(store, options?: RefreshOptions): Promise<StoreState>
 * export readStoreState(store): Promise<StoreState>
 * export resolveCommit(store, name): Promise<string | null>            branch, tag, full ref or commit id
 * export ensureBranch(store, branch, fromSha): Promise<{ sha, created }>
 * export storePath(home, source): string
 * export pinned(source, address): string[]                             settings that hold curl to an address
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withCredentials, type RemoteAccess } from './credentials.ts';
import { GitFailure, refuse } from './failure.ts';
import { locateGitDir, readHead } from './gitdir.ts';
import { withRepoLock } from './lock.ts';
import { assertBranch, assertNewBranch, assertRef, assertSha, isBranch, isSha } from './names.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import type { GitOptions } from './run.ts';
import { checkSourceHost, parseSource } from './source.ts';
import type { HostOptions, RepositorySource } from './source.ts';

export interface Store {
  /** The bare git directory. */
  readonly dir: string;
  /** The daemon's home that holds stores and shadows. */
  readonly home: string;
  readonly source: RepositorySource;
}

export interface StoreState {
  /** The source's default branch; null when it has a detached HEAD and nothing to guess by. */
  readonly defaultBranch: string | null;
  /** The source's branches, name to commit id. */
  readonly branches: ReadonlyMap<string, string>;
}

export interface RefreshOptions extends HostOptions {
  /** How repositories of a host are reached by https; null: as any other's. */
  readonly accessTo?: (host: string) => Promise<RemoteAccess | null>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface OpenStoreOptions extends RefreshOptions {
  readonly home: string;
  /** URL, or absolute path when `allowLocal`. */
  readonly source: string;
  readonly allowLocal?: boolean;
}

const fetchTimeoutMs = 600_000;
/** Old histories have these harmless faults; every dangerous one stays an error. */
const toleratedFaults = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'multipleAuthors',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
  'badFilemode',
].map((fault) => `fetch.fsck.${fault}=ignore`);

export function storePath(home: string, source: RepositorySource): string {
  const key = source.kind === 'local' ? `path:${source.path}` : source.url;
  return join(home, 'stores', `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.git`);
}

export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const parsed = parseSource(options.source, { allowLocal: options.allowLocal === true });
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  // Tasks' repositories name the store by its path: it must be one path, however the home is spelled.
  const home = await realpath(options.home);
  const source = await canonical(parsed, storePath(home, parsed));
  const store: Store = { dir: storePath(home, source), home, source };
  await withRepoLock(store.dir, async () => {
    const isNew = (await kindOf(store.dir)) === 'missing';
    if (isNew) await initBare(store.dir);
    const isEmpty = isNew || (await readStoreState(store)).branches.size === 0;
    if (isEmpty) await fetchSource(store, options);
  });
  return store;
}

export async function refreshStore(
  store: Store,
  options: RefreshOptions = {},
): Promise<StoreState> {
  await withRepoLock(store.dir, () => fetchSource(store, options));
  return readStoreState(store);
}

/** One directory, one store, by whatever links it was named. */
async function canonical(source: RepositorySource, existing: string): Promise<RepositorySource> {
  if (source.kind !== 'local') return source;
  const path = await realpath(source.path).catch(() => null);
  if (path !== null) return { kind: 'local', path };
  if ((await kindOf(existing)) === 'directory') return source;
  throw missing();
}

/** Built aside and renamed, so that a store that exists is whole. */
export async function initBare(dir: string): Promise<void> {
  const aside = `${dir}.new`;
  await mkdir(join(dir, '..'), { recursive: true, mode: 0o700 });
  await rm(aside, { recursive: true, force: true });
  await git(['init', '--quiet', '--bare', '--template=', '--', aside]);
  await mkdir(join(aside, 'info'), { recursive: true });
  await rename(aside, dir);
}

/** With what the machine has for that host, which git sends when it is asked for it. */
async function fetchSource(store: Store, options: RefreshOptions): Promise<void> {
  const { source: to } = store;
  const access = to.kind === 'https' ? ((await options.accessTo?.(to.host)) ?? null) : null;
  if (access === null || to.kind === 'local') return fetchWith(store, options, { config: [] });
  const how = { hadToken: access.token !== null };
  return withCredentials(store, { ...access, to }, (config) =>
    fetchWith(store, options, { ...how, config }),
  );
}

async function fetchWith(
  store: Store,
  options: RefreshOptions,
  { config, hadToken = false }: { readonly config: readonly string[]; readonly hadToken?: boolean },
): Promise<void> {
  const address = await checkSourceHost(store.source, options);
  if (store.source.kind === 'local') await inspectLocal(store.source.path);
  const from = store.source.kind === 'local' ? store.source.path : store.source.url;
  const transport = store.source.kind === 'local' ? 'file' : 'network';
  const run = {
    gitDir: store.dir,
    transport,
    timeoutMs: options.timeoutMs ?? fetchTimeoutMs,
    config: [...toleratedFaults, ...config, ...pinned(store.source, address)],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...pinnedSsh(store.source, address),
  } as const;
  try {
    await git(
      [
        'fetch',
        '--quiet',
        '--prune',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-auto-maintenance',
        '--no-recurse-submodules',
        '--upload-pack=git-upload-pack',
        '--',
        from,
        '+refs/heads/*:refs/remotes/origin/*',
        '+refs/tags/*:refs/tags/*',
      ],
      run,
    );
    await rememberDefault(store, await readSourceHead(store.source, run));
  } catch (error) {
    throw explained(error, hadToken);
  }
  if ((await kindOf(join(store.dir, 'shallow'))) !== 'missing') throw shallow();
  if ((await readStoreState(store)).branches.size === 0) throw empty();
}

async function inspectLocal(path: string): Promise<void> {
  if ((await kindOf(path)) !== 'directory') throw missing();
  const place = await locateGitDir(path);
  if (place === null) {
    throw refuse(
      'not_a_repository',
      'There is no git repository at this path',
      'Give the path of a git repository, or run: git init',
    );
  }
  if ((await kindOf(join(place.commonDir, 'shallow'))) !== 'missing') throw shallow();
}

/** The branch that HEAD of the source stands on; of a repository on this machine read as data. */
async function readSourceHead(
  source: RepositorySource,
  run: GitOptions,
): Promise<string | undefined> {
  if (source.kind === 'local') {
    const place = await locateGitDir(source.path);
    const head =
      place === null ? null : (await readHead({ ...place, gitDir: place.commonDir })).ref;
    return head?.replace('refs/heads/', '');
  }
  const args = ['ls-remote', '--symref', '--upload-pack=git-upload-pack', '--', source.url, 'HEAD'];
  return /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec((await git(args, run)).stdout)?.[1];
}

async function rememberDefault(store: Store, target: string | undefined): Promise<void> {
  const { branches } = await readStoreState(store);
  const name = [target, 'main', 'master', ...(branches.size === 1 ? branches.keys() : [])].find(
    (candidate) => candidate !== undefined && branches.has(candidate) && isBranch(candidate),
  );
  const head = 'refs/remotes/origin/HEAD';
  if (name === undefined) {
    await git(['symbolic-ref', '--delete', '--quiet', head], {
      gitDir: store.dir,
      okCodes: [0, 1, 128],
    });
    return;
  }
  await git(['symbolic-ref', '--', head, `refs/remotes/origin/${name}`], { gitDir: store.dir });
}

export async function readStoreState(store: Store): Promise<StoreState> {
  const format = '--format=%(refname:lstrip=3)%00%(objectname)%00%(symref)';
  const { stdout } = await git(['for-each-ref', format, 'refs/remotes/origin'], {
    gitDir: store.dir,
  });
  const branches = new Map<string, string>();
  let defaultBranch: string | null = null;
  for (const line of stdout.split('\n')) {
    const [name = '', sha = '', symref = ''] = line.split('\0');
    if (name === 'HEAD') defaultBranch = symref.replace('refs/remotes/origin/', '') || null;
    else if (sha !== '') branches.set(name, sha);
  }
  return { defaultBranch, branches };
}

/** makima's own branch first, then the source's branch, then a tag. */
export async function resolveCommit(
  store: Pick<Store, 'dir'>,
  name: string,
): Promise<string | null> {
  const candidates = isSha(name)
    ? [name]
    : name.startsWith('refs/')
      ? [assertRef(name)]
      : ['refs/heads/', 'refs/remotes/origin/', 'refs/tags/'].map((p) => p + assertBranch(name));
  const found = await git(['cat-file', '--batch-check=%(objectname)'], {
    gitDir: store.dir,
    input: candidates.map((candidate) => `${candidate}^{commit}\n`).join(''),
  });
  // One line each; what is not there is said to be missing or ambiguous.
  return found.stdout.split('\n').find((line) => isSha(line)) ?? null;
}

/** A branch of makima's in the store, created where it is missing; an existing one stays where it is. */
export async function ensureBranch(
  store: Store,
  branch: string,
  fromSha: string,
): Promise<{ readonly sha: string; readonly created: boolean }> {
  const ref = `refs/heads/${assertNewBranch(branch)}`;
  return withRepoLock(store.dir, async () => {
    const existing = await resolveCommit(store, ref);
    if (existing !== null) return { sha: existing, created: false };
    const sha = await resolveCommit(store, assertSha(fromSha));
    if (sha === null) throw refuse('base_missing', 'The commit to branch from is not in the store');
    await git(['update-ref', '--', ref, sha, '0'.repeat(sha.length)], { gitDir: store.dir });
    return { sha, created: true };
  });
}

function explained(error: unknown, hadToken: boolean): unknown {
  if (!(error instanceof GitFailure)) return error;
  if (
    error.ending === 'exit' &&
    /Authentication failed|could not read (?:Username|Password)|error: 40[13]/i.test(error.stderr)
  )
    return unopened(error, hadToken);
  if (/dubious ownership/.test(error.stderr)) {
    return refuse(
      'source_foreign_owner',
      'The repository belongs to another user of this machine',
      'Run the daemon as the owner of the repository, or make a copy that you own',
    );
  }
  if (/shallow/.test(error.stderr)) return shallow();
  if (
    error.ending === 'exit' &&
    /Could not (?:read|resolve)|unable to access|not found|does not appear/i.test(error.stderr)
  ) {
    return refuse(
      'source_unreachable',
      'The repository cannot be read',
      'Check the URL and that this machine has access to it',
      { stderr: error.stderr },
    );
  }
  return error;
}

/** It is there, and wants to know who asks. */
function unopened({ stderr }: GitFailure, hadToken: boolean): Error {
  const message = hadToken
    ? 'The repository does not let the token of this machine read it'
    : 'The repository wants a sign-in, and this machine has no token for its host';
  const fix = hadToken
    ? 'Give the token the right to read it, or name the repository by its ssh address'
    : 'Put a token that may read it into the file of MAKIMA_GITHUB_TOKEN_FILE (else github-token in the daemon’s folder, chmod 600) with MAKIMA_GITHUB_HOST as its host, or name it by its ssh address';
  return refuse('source_unreachable', message, fix, { stderr });
}

function missing(): Error {
  return refuse(
    'source_missing',
    'The repository is not there any more',
    'Check the path; if it moved, change the repository of the contract',
  );
}

function empty(): Error {
  return refuse(
    'source_empty',
    'The repository has no commits',
    'Make a first commit: git commit --allow-empty -m "Start"',
  );
}

function shallow(): Error {
  return refuse(
    'source_shallow',
    'The repository is a shallow clone: its history is cut off',
    'Run in the repository: git fetch --unshallow',
  );
}

/** curl connects to the address that was checked, whatever a second look-up says. */
export function pinned(source: RepositorySource, address: string | null): string[] {
  if (source.kind !== 'https' || address === null) return [];
  const shown = address.includes(':') ? `[${address}]` : address;
  return [`http.curloptResolve=${source.host}:${source.port}:${shown}`];
}

function pinnedSsh(
  source: RepositorySource,
  address: string | null,
): { env?: Readonly<Record<string, string>> } {
  if (source.kind !== 'ssh' || address === null) return {};
  const options = `-oBatchMode=yes -oConnectTimeout=15 -oPermitLocalCommand=no`;
  // known_hosts has the port in brackets when it is not the usual one.
  const alias = source.port === 22 ? source.host : `[${source.host}]:${source.port}`;
  const pin = `-oHostname=${address} -oHostKeyAlias=${alias}`;
  return { env: { GIT_SSH_COMMAND: `ssh ${options} ${pin}` } };
}
