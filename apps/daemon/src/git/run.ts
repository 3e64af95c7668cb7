/**
 * The one door to git: argument array, scrubbed environment, forced settings, time limit, output cap.
 *
 * Law: no shell; nothing of the daemon's environment; no configuration but that of the git directory named
 * here, which is always one that the daemon made (deliver.ts alone names a person's); hooks, fsmonitor,
 * alternate-ref commands, maintenance, signing and submodule recursion are off whatever it says; no
 * protocol is allowed unless the caller names it.
 *
 * export git(args, options: GitOptions): Promise<GitResult>
 * export configureGit(settings: GitSettings): void   once, by main
 * export programPath(): string
 * export gitEnvironment(allow?): Record<string, string>
 */
import { runBounded } from './bounded.ts';
import { GitFailure } from './failure.ts';
import { processMark } from './process-mark.ts';

/** Which transports a run may use: none, a path on this machine, or https and ssh. */
export type Transport = 'none' | 'file' | 'network';

export interface GitOptions {
  readonly gitDir?: string;
  readonly workTree?: string;
  /** Default: the work tree, else `/`. */
  readonly cwd?: string;
  /** Added to the scrubbed environment; for index files, object directories, dates and identities. */
  readonly env?: Readonly<Record<string, string>>;
  /** Extra `-c` settings, each `key=value`. */
  readonly config?: readonly string[];
  readonly transport?: Transport;
  readonly timeoutMs?: number;
  readonly input?: string | Buffer;
  readonly maxBytes?: number;
  /** Exit codes that are answers, not failures. Default: 0. */
  readonly okCodes?: readonly number[];
  /** Return what fits instead of failing when the output passes `maxBytes`. */
  readonly truncate?: boolean;
  readonly signal?: AbortSignal;
}

export interface GitResult {
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came. */
  readonly bytes: Buffer;
  readonly exitCode: number;
  readonly truncated: boolean;
}

export interface GitSettings {
  /** Absolute path or name of the program. */
  readonly program?: string;
  /** Where git finds its own helpers and ssh. */
  readonly path?: string;
  /** Socket of a running ssh agent, for ssh repositories. */
  readonly sshAuthSock?: string;
}

const settings = {
  program: 'git',
  path: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
  sshAuthSock: '',
};

const defaultTimeoutMs = 60_000;
const defaultMaxBytes = 64 * 1024 * 1024;
const protocols: Record<Transport, string> = { none: 'none', file: 'file', network: 'https:ssh' };

/** Settings that no repository can override: `-c` beats every file. */
const forced = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.alternateRefsCommand=true',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.pager=cat',
  'core.editor=false',
  'core.askPass=',
  'core.gitProxy=',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'core.safecrlf=false',
  'core.quotePath=false',
  'core.fsync=committed,reference',
  'core.fsyncMethod=batch',
  'credential.helper=',
  'credential.interactive=false',
  'gc.auto=0',
  'gc.autoDetach=false',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'merge.conflictStyle=merge',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'fetch.writeCommitGraph=false',
  'fetch.parallel=1',
  'diff.external=',
  'diff.submodule=short',
  'diff.ignoreSubmodules=all',
  'diff.renames=false',
  'transfer.fsckObjects=true',
  'transfer.advertiseSID=false',
  'http.followRedirects=false',
  'protocol.allow=user',
  'protocol.ext.allow=never',
  'protocol.fd.allow=never',
  'advice.detachedHead=false',
  'init.defaultBranch=main',
];

/** Called once by main before the first run. */
export function configureGit(given: GitSettings): void {
  Object.assign(settings, given);
}

/** Where programs are looked for, for git and for check commands. */
export function programPath(): string {
  return settings.path;
}

export async function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const full = forced.concat(options.config ?? []).flatMap((setting) => ['-c', setting]);
  if (options.gitDir !== undefined) full.push(`--git-dir=${options.gitDir}`);
  if (options.workTree !== undefined) full.push(`--work-tree=${options.workTree}`);
  full.push(...args);
  const result = await runBounded(settings.program, full, {
    cwd: options.cwd ?? options.workTree ?? '/',
    env: { ...gitEnvironment(options.transport), ...options.env },
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    maxBytes: options.maxBytes ?? defaultMaxBytes,
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const truncated = result.ending === 'overflow' && options.truncate === true;
  const okCodes = options.okCodes ?? [0];
  const ended = result.ending === 'exit' && okCodes.includes(result.exitCode ?? -1);
  if (!ended && !truncated) {
    const { exitCode, signal, ending } = result;
    const stderr = result.spawnError?.message ?? result.stderr.toString('utf8');
    throw new GitFailure(
      { verb: args[0] ?? 'git', exitCode, signal, ending, stderr },
      result.spawnError ?? undefined,
    );
  }
  return {
    stdout: result.stdout.toString('utf8'),
    stderr: result.stderr.toString('utf8'),
    bytes: result.stdout,
    exitCode: result.exitCode ?? 0,
    truncated,
  };
}

/**
 * The whole environment of a git process. HOME is a path that cannot exist, which is emptier than any
 * directory; ssh takes a person's keys and known hosts from the password database, not from HOME.
 */
export function gitEnvironment(transport: Transport = 'none'): Record<string, string> {
  return {
    PATH: settings.path,
    HOME: '/dev/null',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: protocols[transport],
    GIT_CEILING_DIRECTORIES: '/',
    MAKIMA_GIT_OWNER: processMark(),
    ...(transport === 'network'
      ? {
          GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=15 -oPermitLocalCommand=no',
          GIT_SSH_VARIANT: 'ssh',
          ...(settings.sshAuthSock === '' ? {} : { SSH_AUTH_SOCK: settings.sshAuthSock }),
        }
      : {}),
  };
}
