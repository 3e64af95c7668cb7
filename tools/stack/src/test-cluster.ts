// A Postgres cluster for tests, copied from one that is made once for a checkout and kept in its cache.
// Why: initdb takes nearly a second of processor time, a copy of its files a twentieth of it.
// Law: for tests alone, since all copies call themselves the same cluster and have one password; a copy is whole
// or not there, and its owner is that of the original.
import { choosePostgresAccount } from '@makima/postgres/account';
import { findPostgresBinaries } from '@makima/postgres/binaries';
import { preparePostgres } from '@makima/postgres/launch';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, checkout } from './checkout.ts';

const run = promisify(execFile);

/**
 * Puts a cluster into `dir` where `preparePostgres` will find it, and returns its password; null where it is
 * left to make its own: Postgres runs as another user here, or the cache cannot be written.
 */
export const plantCluster = async (
  dir: string,
  cache = join(cacheDir, 'postgres-cluster'),
): Promise<string | null> => {
  if (choosePostgresAccount(join(dir, 'data')).uid !== undefined || !isOurs(cache)) return null;
  const original = await ensureOriginal(cache);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fresh = join(dir, `new-${randomBytes(4).toString('hex')}`);
  await run('cp', ['-a', '--reflink=auto', '--', join(original, 'data'), fresh]);
  renameSync(fresh, join(dir, 'data'));
  return readFileSync(join(original, 'password'), 'utf8');
};

const isOurs = (cache: string): boolean => {
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    accessSync(cache, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const originals = new Map<string, Promise<string>>();

const ensureOriginal = (cache: string): Promise<string> => {
  const known = originals.get(cache) ?? makeOriginal(cache);
  originals.set(cache, known);
  known.catch(() => originals.delete(cache));
  return known;
};

/** Whoever makes one at the same time makes his own; the first to finish gives it its name. */
const makeOriginal = async (cache: string): Promise<string> => {
  const original = join(cache, recipe());
  if (existsSync(original)) return original;
  const draft = mkdtempSync(join(cache, 'draft-'));
  try {
    const password = randomBytes(24).toString('hex');
    await preparePostgres({ dir: draft, port: 0, password, durability: 'scratch' });
    writeFileSync(join(draft, 'password'), password, { mode: 0o600 });
    renameSync(draft, original);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(original)) throw error;
    return original;
  }
  for (const name of readdirSync(cache)) {
    if (/^[0-9a-f]{12}$/.test(name) && name !== recipe())
      rmSync(join(cache, name), { recursive: true, force: true });
  }
  return original;
};

/** Another version of Postgres, or another way to make a cluster, is another recipe. */
const recipe = (): string =>
  createHash('sha256')
    .update(readFileSync(join(checkout, 'tools/postgres/src/launch.ts')))
    .update(realpathSync(findPostgresBinaries().initdb))
    .digest('hex')
    .slice(0, 12);
