// Which redis-server to start: one on PATH, else one unpacked from Debian packages into our cache.
// Why: no npm package carries a real server, and nobody should need root to try makima.
// Law: nothing outside the cache folder is written; a half-fetched server is never used.
import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RedisBinary {
  command: string;
  /** Environment that the binary needs beside PATH. */
  env: Record<string, string>;
  origin: 'path' | 'package';
}

const packages = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];

export interface RedisBinaryOptions {
  /** Folder for the unpacked server, for instance `.cache/redis`. */
  cacheDir: string;
  path: string | undefined;
  onProgress?: (line: string) => void;
}

/** The server on PATH or in the cache; undefined when there is none yet. */
export const findRedisBinary = (options: RedisBinaryOptions): RedisBinary | undefined => {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const dir of (options.path ?? '').split(delimiter)) {
      const command = join(dir, name);
      if (dir !== '' && isExecutable(command)) return { command, env: {}, origin: 'path' };
    }
  }
  return unpacked(options.cacheDir);
};

/** As `findRedisBinary`, and fetches the packages when there is none (1.3 MB, about a second). */
export const ensureRedisBinary = async (options: RedisBinaryOptions): Promise<RedisBinary> => {
  const found = findRedisBinary(options);
  if (found) return found;
  options.onProgress?.('fetching redis-server (1.3 MB)');
  await fetchPackages(options.cacheDir);
  const fetched = unpacked(options.cacheDir);
  if (!fetched) throw new Error(`redis-server is not in the packages: ${installHint}`);
  return fetched;
};

const installHint =
  'install redis or valkey with the package manager of this system, or set REDIS_URL';

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const unpacked = (cacheDir: string): RedisBinary | undefined => {
  const command = join(cacheDir, 'usr', 'lib', 'redis-server');
  if (!isExecutable(command)) return undefined;
  const libraries = readdirSync(join(cacheDir, 'usr', 'lib'))
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(cacheDir, 'usr', 'lib', name));
  return { command, env: { LD_LIBRARY_PATH: libraries.join(':') }, origin: 'package' };
};

const fetchPackages = async (cacheDir: string): Promise<void> => {
  const parent = join(cacheDir, '..');
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, 'redis-'));
  try {
    await download(work);
    const root = join(work, 'root');
    for (const name of readdirSync(work).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(work, name), root]);
    }
    // Debian's redis-server is redis-check-rdb under another name: the name decides what it does.
    symlinkSync('../bin/redis-check-rdb', join(root, 'usr', 'lib', 'redis-server'));
    await publish(root, cacheDir);
  } catch (error) {
    throw new Error(`no redis-server on PATH, and none could be fetched: ${installHint}`, {
      cause: error,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const download = async (cwd: string): Promise<void> => {
  const asIs = ['-q', '-o', 'APT::Sandbox::User='];
  try {
    await run('apt-get', [...asIs, 'download', ...packages], { cwd });
  } catch {
    const lists = join(cwd, 'lists');
    const archives = join(cwd, 'apt');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(archives, 'archives', 'partial'), { recursive: true });
    const own = [...asIs, '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${archives}`];
    await run('apt-get', [...own, 'update'], { cwd });
    await run('apt-get', [...own, 'download', ...packages], { cwd });
  }
};

/** Renames the finished tree into place; when another start was first, its tree is as good. */
const publish = async (root: string, cacheDir: string): Promise<void> => {
  await run(join(root, 'usr', 'lib', 'redis-server'), ['--version'], {
    env: { LD_LIBRARY_PATH: libraryPath(root) },
  });
  try {
    renameSync(root, cacheDir);
  } catch (error) {
    if (!existsSync(join(cacheDir, 'usr', 'lib', 'redis-server'))) throw error;
  }
};

const libraryPath = (root: string): string =>
  readdirSync(join(root, 'usr', 'lib'))
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(root, 'usr', 'lib', name))
    .join(':');
