/**
 * A token for one https host, for as long as git talks to it.
 *
 * Law: the token stands in no argument and no environment: git's own credential store reads it from a file that
 * exists for the talk alone and names this one host; git sends it when that host asks for it. The caller holds
 * the store's lock.
 *
 * export withCredentials(store, access, work): Promise<T>     `work` gets settings for git
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RemoteSource } from './source.ts';

/** How this machine reaches the repositories of a host by https. */
export interface RemoteAccess {
  /** Null: as anybody. */
  readonly token: string | null;
  /** Certificates of authorities to trust; null: the system's. */
  readonly caFile: string | null;
}

/** The name that GitHub wants beside a token. */
const userName = 'x-access-token';

export async function withCredentials<T>(
  store: { readonly home: string; readonly dir: string },
  { to, token, caFile }: RemoteAccess & { readonly to: RemoteSource },
  work: (config: readonly string[]) => Promise<T>,
): Promise<T> {
  const trusted = caFile === null ? [] : [`http.sslCAInfo=${caFile}`];
  if (token === null) return work(trusted);
  const dir = join(store.home, 'push', basename(store.dir));
  // Of a talk that was cut off.
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'credentials');
  const { origin } = new URL(to.url);
  const [scheme = '', place = ''] = origin.split('://');
  const line = `${scheme}://${userName}:${encodeURIComponent(token)}@${place}\n`;
  try {
    await writeFile(file, line, { mode: 0o600 });
    return await work([`credential.helper=store --file=${quoted(file)}`, ...trusted]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** As one word of the shell with which git starts its own helper. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
