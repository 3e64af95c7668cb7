// Describes a redis-server process: durable for the stack, without a disk for tests.
// Why: Redis carries tickets and hints; it may burn down, but a plain restart shall not lose any.
// Law: loopback, noeviction, and the password stands in a file of mode 0600, never on a command line.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '@makima/postgres/program';
import type { RedisBinary } from './binary.ts';

export interface RedisOptions {
  binary: RedisBinary;
  /** Folder of its configuration and data. */
  dir: string;
  port: number;
  /** Letters and digits only: it becomes part of a URL. */
  password: string;
  /** `scratch` writes nothing to disk: for tests. */
  durability: 'durable' | 'scratch';
}

export interface PreparedRedis {
  program: Program;
  url: string;
}

/** Writes the configuration file and returns the process to start. */
export const prepareRedis = (options: RedisOptions): PreparedRedis => {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const file = join(options.dir, 'redis.conf');
  writeFileSync(file, configuration(options), { mode: 0o600 });
  return {
    program: {
      command: options.binary.command,
      args: [file],
      env: { ...options.binary.env, LC_ALL: 'C', TZ: 'UTC' },
      cwd: options.dir,
      stopSignal: 'SIGTERM',
    },
    url: `redis://:${options.password}@127.0.0.1:${options.port}`,
  };
};

const configuration = ({ dir, port, password, durability }: RedisOptions): string =>
  [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    'maxmemory-policy noeviction',
    'maxclients 4000',
    'tcp-backlog 511',
    'save ""',
    'appendonly ' + (durability === 'durable' ? 'yes' : 'no'),
    'appendfsync everysec',
    'loglevel warning',
    'logfile ""',
    '',
  ].join('\n');
