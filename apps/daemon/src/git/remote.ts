/**
 * The remote repository of a store as an https address: its source, or the `origin` of the local one that it
 * comes from.
 *
 * Law: a person's configuration is read as data: no include, nothing of it is used but this one address, which
 * is parsed like any other.
 *
 * export remoteOf(store): Promise<RemoteSource>
 */
import { join } from 'node:path';
import { MakimaError } from '@makima/domain/error';
import { locateGitDir } from './gitdir.ts';
import { git } from './run.ts';
import { parseSource, type RemoteSource } from './source.ts';
import type { Store } from './store.ts';

export async function remoteOf(store: Store): Promise<RemoteSource> {
  const { source } = store;
  if (source.kind !== 'local') return overHttps(source);
  const origin = await originOf(source.path);
  const parsed = origin === null ? null : parseSource(origin);
  if (parsed === null || parsed.kind === 'local') throw noRemote();
  return overHttps(parsed);
}

async function originOf(path: string): Promise<string | null> {
  const place = await locateGitDir(path);
  if (place === null) return null;
  const file = join(place.commonDir, 'config');
  const args = ['config', '--file', file, '--no-includes', '--get', 'remote.origin.url'];
  const found = await git(args, { okCodes: [0, 1, 128] });
  const url = found.exitCode === 0 ? found.stdout.trim() : '';
  return url === '' ? null : url;
}

/** The same repository by https: `ssh://git@host/owner/name` and `git@host:owner/name` are that too. */
function overHttps(source: RemoteSource): RemoteSource {
  if (source.kind === 'https') return source;
  const path = source.url.startsWith('ssh://')
    ? source.url.replace(/^ssh:\/\/[^/]*/, '')
    : `/${source.url.slice(source.url.indexOf(':') + 1).replace(/^\/+/, '')}`;
  const host = source.host.includes(':') ? `[${source.host}]` : source.host;
  const parsed = parseSource(`https://${host}${path}`);
  if (parsed.kind === 'local') throw noRemote();
  return parsed;
}

function noRemote(): MakimaError {
  return new MakimaError('MISSING_REPO_URL', 'The repository has no remote to push to', {
    details: { reason: 'no_remote' },
    fix: 'give it one: git remote add origin <url>',
  });
}
