// The stores and the ports: what a start would use, and whether it can.
// Why: "it does not start" is most often one of these.
// Law: asks a store that is named by URL, and the binaries of an embedded one; starts nothing.
import { findPostgresBinaries, linkLibraries } from '@makima/postgres/binaries';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisCacheDir } from '../checkout.ts';
import { makimaLayout, storePorts } from '../layout.ts';
import { isPortFree } from '../ports.ts';
import { findRedisBinary } from '../redis/binary.ts';
import { runningState } from '../state-file.ts';
import { externalPostgres, externalRedis } from '../stores.ts';
import { ask, fail, pass, versionAtLeast, warn, type Check, type CheckResult } from './check.ts';

export const checkPostgres: Check = async ({ env }) => {
  if (env.DATABASE_URL) {
    return reachable('postgres', 'DATABASE_URL', () => externalPostgres(env.DATABASE_URL!));
  }
  const links = mkdtempSync(join(tmpdir(), 'makima-doctor-'));
  try {
    const binaries = findPostgresBinaries();
    const libraries = { LD_LIBRARY_PATH: linkLibraries(binaries, links) };
    const version = await ask(binaries.postgres, ['--version'], libraries);
    return version
      ? pass('postgres', `embedded: ${version}`)
      : fail('postgres', 'the embedded Postgres does not start here', 'set DATABASE_URL');
  } catch (error) {
    return fail('postgres', (error as Error).message, 'set DATABASE_URL');
  } finally {
    rmSync(links, { recursive: true, force: true });
  }
};

export const checkRedis: Check = async ({ env }) => {
  if (env.REDIS_URL) return reachable('redis', 'REDIS_URL', () => externalRedis(env.REDIS_URL!));
  const fix = 'install redis or valkey (6.2 or newer), or set REDIS_URL';
  const binary = findRedisBinary({ cacheDir: redisCacheDir, path: env.PATH });
  if (!binary) {
    return (await ask('apt-get', ['--version'], { PATH: env.PATH }))
      ? pass('redis', 'not here yet: a start fetches it (1.3 MB)')
      : fail('redis', 'none on PATH, and no apt-get to fetch one', fix);
  }
  const version = await ask(binary.command, ['--version'], { ...binary.env, PATH: env.PATH });
  if (!version) return fail('redis', `${binary.command} does not start`, fix);
  return versionAtLeast(version.replace(/^.*v=/, ''), 6, 2)
    ? pass('redis', `${version.split(' sha')[0]} at ${binary.command}`)
    : fail('redis', `${version} is too old`, fix);
};

export const checkPorts: Check = async ({ home, env }) => {
  const state = runningState(home);
  if (state) return pass('ports', `in use by the stack that runs at ${state.url}`);
  const wanted: [string, number][] = makimaLayout.services.map(({ name, port }) => [name, port]);
  if (!env.DATABASE_URL) wanted.push(['postgres', storePorts.postgres]);
  if (!env.REDIS_URL) wanted.push(['redis', storePorts.redis]);
  const taken: string[] = [];
  for (const [name, port] of wanted) {
    if (!(await isPortFree(port))) taken.push(`${port} (${name})`);
  }
  return taken.length === 0
    ? pass('ports', `${wanted.map(([, port]) => port).join(' ')} are free`)
    : warn(
        'ports',
        `taken: ${taken.join(', ')}`,
        'nothing to do: a start takes the next free ones',
      );
};

/** Said openly, because no credential can prevent it. */
export const checkIsolation: Check = async () =>
  warn(
    'agent isolation',
    'agents run under your own user, so they can read what you can read',
    'nothing has to be done; for untrusted code run makima under a user of its own',
  );

const reachable = async (
  name: string,
  variable: string,
  connect: () => Promise<unknown>,
): Promise<CheckResult> => {
  try {
    await connect();
    return pass(name, `answers at ${variable}`);
  } catch (error) {
    return fail(
      name,
      (error as Error).message,
      `correct ${variable}, or unset it to use an embedded one`,
    );
  }
};
