/**
 * Evidence at a commit: a check command run in a throwaway checkout, or a file looked up there.
 *
 * Law: argument array, clean environment, time limit, output cap; when it is over, no process of its group
 * and no file of its checkout is left. It runs code of the repository: only what the contract's owner
 * configured comes here.
 *
 * export runCheck(store, options: CheckOptions): Promise<CheckResult>
 * export readAtCommit(store, ref, path, maxBytes?): Promise<BlobAnswer>
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runBounded } from './bounded.ts';
import { invalid, refuse } from './failure.ts';
import { git, programPath } from './run.ts';
import { resolveCommit } from './store.ts';
import type { Store } from './store.ts';

export interface CheckOptions {
  /** Branch, tag, full ref or commit id of the store. */
  readonly ref: string;
  /** Program and arguments; the program is found on PATH or relative to the checkout. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly maxOutputBytes?: number;
  /** Added to PATH, HOME, TMPDIR, LANG and CI. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface CheckResult {
  readonly commitSha: string;
  /** Null when it was stopped or could not be started. */
  readonly exitCode: number | null;
  readonly ending: 'exit' | 'timeout' | 'overflow' | 'aborted' | 'spawn_failed';
  /** stdout and stderr in the order of arrival. */
  readonly output: string;
  readonly truncated: boolean;
}

export type BlobAnswer =
  | { readonly kind: 'text'; readonly commitSha: string; readonly content: string }
  | { readonly kind: 'binary' | 'too_large' | 'missing'; readonly commitSha: string };

const defaultMaxOutputBytes = 256 * 1024;

export async function runCheck(store: Store, options: CheckOptions): Promise<CheckResult> {
  const [program, ...args] = options.command;
  if (program === undefined || options.command.some((part) => part.includes('\0'))) {
    throw invalid('command', 'bad_command', 'A check is a program and its arguments');
  }
  const commitSha = await mustResolve(store, options.ref);
  await mkdir(join(store.home, 'checks'), { recursive: true, mode: 0o700 });
  const room = await mkdtemp(join(store.home, 'checks', 'run-'));
  try {
    const files = join(room, 'files');
    await checkOut(store, commitSha, room, files);
    const result = await runBounded(program, args, {
      cwd: files,
      env: await cleanEnvironment(room, options.env),
      timeoutMs: options.timeoutMs,
      maxBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
      interleave: true,
      sweepGroup: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const output =
      result.spawnError === null ? result.stdout.toString('utf8') : result.spawnError.message;
    return {
      commitSha,
      exitCode: result.ending === 'exit' ? result.exitCode : null,
      ending: result.ending,
      output: output.replaceAll('\0', '\uFFFD'),
      truncated: result.ending === 'overflow',
    };
  } finally {
    await rm(room, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function readAtCommit(
  store: Store,
  ref: string,
  filePath: string,
  maxBytes = 1024 * 1024,
): Promise<BlobAnswer> {
  const commitSha = await mustResolve(store, ref);
  if (/\p{Cc}/u.test(filePath)) return { kind: 'missing', commitSha };
  const args = ['ls-tree', '-z', '-l', '--full-tree', commitSha, '--', filePath];
  const listed = await git(args, { gitDir: store.dir, okCodes: [0, 128] });
  const [, type, id = '', size = ''] = (listed.stdout.split('\t')[0] ?? '').split(/ +/);
  if (type !== 'blob') return { kind: 'missing', commitSha };
  if (Number(size) > maxBytes) return { kind: 'too_large', commitSha };
  const { bytes, stdout } = await git(['cat-file', 'blob', id], { gitDir: store.dir });
  if (bytes.includes(0)) return { kind: 'binary', commitSha };
  return { kind: 'text', commitSha, content: stdout };
}

async function mustResolve(store: Store, ref: string): Promise<string> {
  const sha = await resolveCommit(store, ref);
  if (sha === null) throw refuse('ref_missing', 'The commit to check is not in the store');
  return sha;
}

/** Plain files without a `.git`: a check cannot reach the store through it. */
async function checkOut(store: Store, sha: string, room: string, files: string): Promise<void> {
  await mkdir(files);
  const run = {
    gitDir: store.dir,
    workTree: files,
    env: { GIT_INDEX_FILE: join(room, 'index') },
    timeoutMs: 300_000,
  };
  await git(['read-tree', '--reset', sha], run);
  await git(['checkout-index', '--all', '--quiet'], run);
}

async function cleanEnvironment(
  room: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const home = join(room, 'home');
  const temporary = join(room, 'tmp');
  await Promise.all([mkdir(home), mkdir(temporary)]);
  return {
    PATH: programPath(),
    HOME: home,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    CI: '1',
    GIT_CEILING_DIRECTORIES: room,
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  };
}
