// The machine: Node, git, disk, folders, user, clock.
// Why: each of these has stopped somebody's first start.
// Law: what only makes things worse warns; what makes them impossible fails.
import { canUnshare } from '@makima/postgres/account';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDir, checkout } from '../checkout.ts';
import { ask, fail, pass, versionAtLeast, warn, type Check } from './check.ts';

const gib = 1024 ** 3;

export const checkNode: Check = async () =>
  versionAtLeast(process.version, 22, 18)
    ? pass('node', process.version)
    : fail('node', process.version, 'start through ./makima, which brings its own Node');

export const checkGit: Check = async ({ env }) => {
  const version = await ask('git', ['--version'], env);
  if (version === undefined) return fail('git', 'not on PATH', 'apt-get install git');
  return versionAtLeast(version, 2, 40)
    ? pass('git', version)
    : warn(
        'git',
        `${version}, older than 2.40`,
        'upgrade git: merges are slower without merge-tree',
      );
};

export const checkDisk: Check = async ({ home }) => {
  const { bavail, bsize } = statfsSync(nearestFolder(home.root));
  const free = (bavail * bsize) / gib;
  const detail = `${free.toFixed(1)} GiB free for ${home.root}`;
  const fix = 'free some space, or set MAKIMA_HOME to a folder on another disk';
  if (free < 1) return fail('disk', detail, fix);
  return free < 5 ? warn('disk', detail, fix) : pass('disk', detail);
};

export const checkFolders: Check = async ({ home }) => [
  isWritable(home.root)
    ? pass('data folder', home.root)
    : fail(
        'data folder',
        `cannot write to ${home.root}`,
        'set MAKIMA_HOME to a folder of your own',
      ),
  isWritable(cacheDir)
    ? pass('cache folder', cacheDir)
    : warn('cache folder', `cannot write to ${cacheDir}`, 'clone makima into a folder of your own'),
];

export const checkUser: Check = async () => {
  if (process.getuid?.() !== 0) return pass('unshare', 'not needed by an ordinary user');
  return canUnshare()
    ? pass('unshare', 'user namespaces work, so root can run Postgres')
    : warn(
        'unshare',
        'user namespaces are refused: Postgres runs as the user postgres or nobody',
        'start makima as an ordinary user, or allow user namespaces',
      );
};

/** A clock before the time of the files here makes every deadline and certificate wrong. */
export const checkClock: Check = async () => {
  const written = statSync(join(checkout, 'pnpm-lock.yaml')).mtime;
  const now = new Date();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return now.getTime() < written.getTime() - 60_000
    ? fail('clock', `${now.toISOString()} is before the files of this checkout`, 'set the clock')
    : pass('clock', `${now.toISOString()}, time zone ${zone}`);
};

const nearestFolder = (path: string): string =>
  existsSync(path) ? path : nearestFolder(dirname(path));

const isWritable = (path: string): boolean => {
  try {
    accessSync(nearestFolder(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
