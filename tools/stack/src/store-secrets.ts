// The addresses of the stores, with their passwords, as files: how a stack hands them to its processes.
// Why: agents run under the same user as the services, and any process reads the environment and the
// command line of others of its user; `ps auxeww` prints them.
// Law: such an address stands in a file of mode 0600 in the home, never in an environment or an argument
// of a process that makima starts.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';

const names = ['DATABASE_URL', 'REDIS_URL'] as const;
type StoreName = (typeof names)[number];
type Environment = NodeJS.ProcessEnv;

const fileNames: Readonly<Record<StoreName, string>> = {
  DATABASE_URL: 'database.url',
  REDIS_URL: 'redis.url',
};

export const storeFile = (home: Home, name: StoreName): string =>
  join(home.secrets, fileNames[name]);

/** The variables that tell a process where the files are. */
export const storeFileEnvironment = (home: Home): Environment =>
  Object.fromEntries(names.map((name) => [`${name}_FILE`, storeFile(home, name)]));

/** Writes both files anew; who reads meanwhile sees the old or the new one, whole. */
export const keepStoreUrls = (
  home: Home,
  urls: { readonly databaseUrl: string; readonly redisUrl: string },
): void => {
  keep(storeFile(home, 'DATABASE_URL'), urls.databaseUrl);
  keep(storeFile(home, 'REDIS_URL'), urls.redisUrl);
};

/** An environment in which a store that the user named by a file is named by its address. */
export const withStoreUrls = (env: Environment): Environment => {
  const read = names.flatMap((name) => {
    const file = env[`${name}_FILE`];
    if (!file) return [];
    if (env[name]) throw new Error(`${name} and ${name}_FILE are both set: take one away`);
    return [[name, contentOf(`${name}_FILE`, file)] as const];
  });
  return { ...env, ...Object.fromEntries(read) };
};

/** An environment for another process of ours: the stores that the user named, by files of this home. */
export const withStoreFiles = (env: Environment, home: Home): Environment => {
  const handed = { ...env };
  for (const name of names) {
    const url = env[name];
    if (!url) continue;
    keep(storeFile(home, name), url);
    handed[`${name}_FILE`] = storeFile(home, name);
    delete handed[name];
  }
  return handed;
};

const contentOf = (variable: string, file: string): string => {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    throw new Error(`${variable} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  throw new Error(`${variable} names a file that is empty: ${file}`);
};

const keep = (file: string, text: string): void => {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${text}\n`, { mode: 0o600 });
  renameSync(fresh, file);
};
