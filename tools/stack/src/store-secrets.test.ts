// Store addresses travel by files of mode 0600, and a file that cannot be used is told by its variable.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { daemonEnvironment, serviceEnvironment } from './environment.ts';
import { ensureHome, homeAt, type Home } from './home.ts';
import { keepStoreUrls, storeFile, withStoreFiles, withStoreUrls } from './store-secrets.ts';

const database = 'postgres://u:hunter2@db/x';
const redis = 'redis://:hunter2@db';
let home: Home;
beforeAll(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'makima-secrets-')));
  ensureHome(home);
});
afterAll(() => rmSync(home.root, { recursive: true }));

it('no environment of a service or daemon holds one, whatever the user has set', () => {
  const env = {
    PATH: '/bin',
    DATABASE_URL: database,
    REDIS_URL: redis,
    TEST_DATABASE_URL: database,
    PGPASSWORD: 'hunter2',
    MAKIMA_TOKEN: 'hunter2',
    MAKIMA_JOIN_TOKEN: 'hunter2',
    MAKIMA_MAX_TASKS: '3',
    ANTHROPIC_API_KEY: 'the agents need it',
  };
  const addresses = { databaseUrl: database, redisUrl: redis, apiUrl: 'http://a', gatewayUrl: '' };
  const service = serviceEnvironment(env, addresses, home, 1);
  const daemon = daemonEnvironment(env, addresses, home);
  expect(JSON.stringify([service, daemon])).not.toContain('hunter2');
  expect(service).toMatchObject({
    DATABASE_URL_FILE: storeFile(home, 'DATABASE_URL'),
    REDIS_URL_FILE: storeFile(home, 'REDIS_URL'),
    MAKIMA_MAX_TASKS: '3',
  });
  expect(Object.keys(daemon).filter((name) => /DATABASE|REDIS/.test(name))).toEqual([]);
  expect(daemon).toMatchObject({ ANTHROPIC_API_KEY: 'the agents need it', MAKIMA_MAX_TASKS: '3' });
});

it('are handed to another process by file, and read back', () => {
  const handed = withStoreFiles({ DATABASE_URL: database, PATH: '/bin' }, home);
  expect(handed).toEqual({ DATABASE_URL_FILE: storeFile(home, 'DATABASE_URL'), PATH: '/bin' });
  expect(withStoreUrls(handed)).toMatchObject({ DATABASE_URL: database });
  writeFileSync(storeFile(home, 'REDIS_URL'), 'old', { mode: 0o600 });
  keepStoreUrls(home, { databaseUrl: database, redisUrl: redis });
  expect(readFileSync(storeFile(home, 'REDIS_URL'), 'utf8')).toBe(`${redis}\n`);
  expect(statSync(storeFile(home, 'REDIS_URL')).mode & 0o777).toBe(0o600);
});

it('are refused when given twice, empty or unreadable', () => {
  const file = join(home.root, 'empty');
  writeFileSync(file, '\n');
  const refusals: [NodeJS.ProcessEnv, string][] = [
    [{ REDIS_URL: redis, REDIS_URL_FILE: file }, 'REDIS_URL and REDIS_URL_FILE are both set'],
    [{ REDIS_URL_FILE: file }, 'REDIS_URL_FILE names a file that is empty'],
    [{ REDIS_URL_FILE: join(home.root, 'none') }, 'REDIS_URL_FILE cannot be read: ENOENT'],
  ];
  for (const [env, words] of refusals) expect(() => withStoreUrls(env)).toThrow(words);
});
