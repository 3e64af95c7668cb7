// The one folder in which a stack keeps everything: data, secrets, logs, run state.
// Why: one place to look, to back up and to remove.
// Law: folders 0700, secrets 0600; nothing that a stack keeps lies anywhere else.
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { checkout } from './checkout.ts';

export interface Home {
  root: string;
  /** State of the running stack: stack.json, the lock, the ports used last. */
  run: string;
  logs: string;
  secrets: string;
  postgres: string;
  redis: string;
  daemon: string;
}

/** The parts of a home, in the order in which they are removed. */
export const homeParts = ['run', 'logs', 'daemon', 'redis', 'postgres', 'secrets'] as const;

/** What programs beside the stack keep in its home: the demo's repositories, a daemon joined by hand. */
export const guestParts = ['demo', 'joined'] as const;

export const homeAt = (root: string): Home => {
  const at = (name: string): string => join(resolve(root), name);
  return {
    root: resolve(root),
    run: at('run'),
    logs: at('logs'),
    secrets: at('secrets'),
    postgres: at('postgres'),
    redis: at('redis'),
    daemon: at('daemon'),
  };
};

/** `$MAKIMA_HOME`, else `.makima` in the checkout. */
export const homeFrom = (env: NodeJS.ProcessEnv): Home =>
  homeAt(env.MAKIMA_HOME || join(checkout, '.makima'));

/** Makes the folders, or throws one line that says why it cannot. */
export const ensureHome = (home: Home): void => {
  const fix = 'set MAKIMA_HOME to a folder of your own';
  try {
    mkdirSync(home.root, { recursive: true, mode: 0o700 });
    accessSync(home.root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Error(`cannot write to ${home.root}: ${fix}`);
  }
  const owner = statSync(home.root).uid;
  if (process.getuid && owner !== process.getuid() && process.getuid() !== 0) {
    throw new Error(`${home.root} belongs to another user: ${fix}`);
  }
  for (const part of homeParts) mkdirSync(home[part], { recursive: true, mode: 0o700 });
};

/** A new Postgres with its first write-ahead log, and some air. */
const roomMinBytes = 80 * 1024 ** 2;

/** Throws one line when the disk is too full for a first start: Postgres would say it in ten. */
export const requireRoom = (home: Home): void => {
  if (existsSync(join(home.postgres, 'data'))) return;
  const { bavail, bsize } = statfsSync(home.root);
  const freeBytes = bavail * bsize;
  if (freeBytes >= roomMinBytes) return;
  const mib = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`;
  throw new Error(
    `only ${mib(freeBytes)} are free for ${home.root}, and a first start needs ${mib(roomMinBytes)}: free some space, or set MAKIMA_HOME to a folder on another disk`,
  );
};

/** Reads a secret, or makes a random one (48 hexadecimal digits) the first time. */
export const secret = (home: Home, name: string): string => {
  const file = join(home.secrets, name);
  try {
    writeFileSync(file, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
};

export const ownerKeyFile = (home: Home): string => join(home.secrets, 'owner.key');
export const daemonTokenFile = (home: Home): string => join(home.secrets, 'daemon.token');

/** The one-time owner key that the API wrote at its first start, if it is still there. */
export const readOwnerKey = (home: Home): string | undefined =>
  existsSync(ownerKeyFile(home)) ? readFileSync(ownerKeyFile(home), 'utf8').trim() : undefined;
