// The embedded Postgres: makes a cluster once and describes the process that serves it.
// Why: one machine, no Docker, no package manager, root or not, in under a second.
// Law: loopback only, no Unix socket (so no path is ever too long), scram with a password that
// never stands on a command line, and a half-made cluster is never taken for a whole one.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { choosePostgresAccount, handOver, type PostgresAccount } from './account.ts';
import { findPostgresBinaries, linkLibraries } from './binaries.ts';
import type { Program } from './program.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Folder that holds everything: cluster and library links. */
  dir: string;
  port: number;
  /** Letters and digits only: it becomes part of a URL. */
  password: string;
  /** `scratch` gives up durability for speed: for tests, whose data nobody misses. */
  durability: 'durable' | 'scratch';
}

export interface PreparedPostgres {
  program: Program;
  /** URL of the maintenance database `postgres`. */
  url: string;
}

const user = 'makima';

/** Makes the cluster if it is not there (0.6 s) and returns the process to start. */
export const preparePostgres = async (options: PostgresOptions): Promise<PreparedPostgres> => {
  const binaries = findPostgresBinaries();
  const dataDir = join(options.dir, 'data');
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const account = choosePostgresAccount(dataDir);
  const env = {
    LD_LIBRARY_PATH: linkLibraries(binaries, join(options.dir, 'lib')),
    PATH: process.env.PATH,
    LC_ALL: 'C',
    TZ: 'UTC',
  };
  handOver(account, options.dir, binaries.postgres);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    await makeCluster(options, binaries.initdb, account, env);
  }
  clearStalePidFile(dataDir);
  const argv = [...account.prefix, binaries.postgres, '-D', dataDir, ...settings(options)];
  const { uid, gid } = account;
  return {
    program: {
      command: argv[0]!,
      args: argv.slice(1),
      env,
      cwd: options.dir,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      stopSignal: 'SIGINT',
    },
    url: `postgres://${user}:${options.password}@127.0.0.1:${options.port}/postgres`,
  };
};

const makeCluster = async (
  options: PostgresOptions,
  initdb: string,
  account: PostgresAccount,
  env: NodeJS.ProcessEnv,
): Promise<void> => {
  for (const name of readdirSync(options.dir)) {
    if (/^(?:new|password)-/.test(name))
      rmSync(join(options.dir, name), { recursive: true, force: true });
  }
  const mark = randomBytes(4).toString('hex');
  const fresh = join(options.dir, `new-${mark}`);
  const passwordFile = join(options.dir, `password-${mark}`);
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  chmodSync(passwordFile, 0o600);
  const { uid, gid } = account;
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
  const argv = [...account.prefix, initdb, '-D', fresh, '-U', user, '--pwfile', passwordFile];
  argv.push('--auth=scram-sha-256', '-E', 'UTF8', '--locale-provider=builtin');
  argv.push('--locale=C.UTF-8', '--no-instructions');
  if (options.durability === 'scratch') argv.push('--no-sync');
  try {
    await run(argv[0]!, argv.slice(1), { env, cwd: options.dir, uid, gid });
  } catch (error) {
    throw new Error(`initdb failed: ${tellingLine(error)}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, join(options.dir, 'data'));
};

/** The line that says why: what initdb does afterwards is no reason. */
const tellingLine = (error: unknown): string => {
  const stderr = (error as { stderr?: string }).stderr?.trim();
  const lines = (stderr || String(error)).split('\n');
  return lines.find((line) => /\b(?:error|FATAL|PANIC)\b/.test(line)) ?? lines.at(-1) ?? '';
};

/**
 * After a crash the pid file stays; Postgres refuses to start if that number belongs to any living
 * process today. A process that is not a Postgres on this folder does not own it.
 */
const clearStalePidFile = (dataDir: string): void => {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!commandLine(pid).includes(dirname(dataDir))) rmSync(file, { force: true });
};

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const settings = (options: PostgresOptions): string[] => {
  const values: Record<string, string | number> = {
    port: options.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    effective_cache_size: '1GB',
    work_mem: '8MB',
    max_wal_size: '1GB',
    wal_compression: 'pglz',
    random_page_cost: 1.1,
    max_parallel_workers_per_gather: 0,
    io_workers: 2,
    jit: 'off',
    log_min_messages: 'warning',
    log_line_prefix: '%m [%p] ',
    ...(options.durability === 'scratch' ? scratchSettings : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
};

const scratchSettings = {
  // In its own folder, so that nothing stays in shared memory when it is killed.
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_compression: 'off',
  autovacuum: 'off',
  max_connections: 300,
};
