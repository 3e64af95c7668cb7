/** The process itself: its first start, its second, its end, and an environment that does not fit. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  testDatabase,
  testRedis,
  type TestDatabase,
  type TestRedis,
} from '@makima/stack/test-stores';
import { mintToken } from '@makima/engine/identity/token';
import { sender } from './testing/test-api.ts';

let store: TestDatabase;
let redis: TestRedis;
let folder: string;
beforeAll(async () => {
  [store, redis, folder] = await Promise.all([
    testDatabase(),
    testRedis(),
    mkdtemp(join(tmpdir(), 'makima api ')),
  ]);
});
afterAll(async () => {
  await redis.stop();
  await Promise.all([store.drop(), rm(folder, { recursive: true })]);
});

interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** The first log line with this message. */
  line(message: string): Promise<Record<string, unknown>>;
  readonly exit: Promise<number | null>;
}

function start(env: Record<string, string>): Running {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting: { message: string; found: PromiseWithResolvers<Record<string, unknown>> }[] = [];
  const take = (text: string): void => {
    lines.push(text);
    const line = asJson(text);
    for (const each of waiting) if (line?.['message'] === each.message) each.found.resolve(line);
  };
  createInterface(child.stdout).on('line', take);
  createInterface(child.stderr).on('line', (text) => lines.push(text));
  const exit = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return {
    child,
    lines,
    exit,
    line(message) {
      const known = lines.map(asJson).find((line) => line?.['message'] === message);
      if (known !== undefined) return Promise.resolve(known);
      const found = Promise.withResolvers<Record<string, unknown>>();
      waiting.push({ message, found });
      void exit.then(() =>
        found.reject(new Error(`ended before "${message}":\n${lines.join('\n')}`)),
      );
      return found.promise;
    },
  };
}

function asJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const environment = (more: Record<string, string> = {}) => ({
  DATABASE_URL: store.url,
  REDIS_URL: redis.url,
  PORT: '0',
  LOG_LEVEL: 'debug',
  ...more,
});

describe('the API as a process', () => {
  it('hands the owner key out once, into a file that only its user reads, and drains on SIGTERM', async () => {
    const file = join(folder, 'secrets', 'owner.key');
    const first = start(environment({ MAKIMA_OWNER_KEY_FILE: file }));
    const port = Number((await first.line('listening'))['port']);
    await first.line('wrote the owner key of the first start');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = (await readFile(file, 'utf8')).trim();
    const send = sender(port);
    await expect.poll(async () => (await send('GET', '/readyz')).status).toBe(200);
    const { cursor } = (await send('GET', '/api/v1/events?after=now', { key })).json;
    const held = send('GET', `/api/v1/events?after=${cursor}&wait=30`, { key });
    await expect
      .poll(async () => (await send('GET', '/metrics')).text)
      .toMatch(/makima_http_holds\{[^}]*\} 1/);
    first.child.kill('SIGTERM');
    expect(await held).toMatchObject({ status: 200, json: { items: [] } });
    expect(await first.exit).toBe(0);
    expect(first.lines.join('\n')).not.toContain(key);

    // What the environment does not say stands in a file.
    const types = join(folder, 'types');
    await mkdir(types);
    const type = { name: 'filed', phases: [{ name: 'one' }] };
    await writeFile(join(types, 'filed.json'), JSON.stringify(type));
    const settings = join(folder, 'makima.toml');
    const said = { types_dir: types, owner_key_file: file };
    const lines = Object.entries(said).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    await writeFile(settings, ['[contracts]', ...lines].join('\n'));
    const second = start(environment({ MAKIMA_CONFIG_FILE: settings }));
    const again = sender(Number((await second.line('listening'))['port']));
    expect((await again('GET', '/api/v1/whoami', { key })).status).toBe(200);
    expect((await readFile(file, 'utf8')).trim()).toBe(key);
    expect(await second.line('a contract type was read')).toMatchObject({ name: 'filed' });
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
  });

  it('prints the key when it has no file, and relays what it wrote', async () => {
    const fresh = await testDatabase();
    const running = start(environment({ DATABASE_URL: fresh.url }));
    const send = sender(Number((await running.line('listening'))['port']));
    await expect
      .poll(() => running.lines.some((line) => line.trim().startsWith('mk_user_')))
      .toBe(true);
    const key = running.lines.find((line) => line.trim().startsWith('mk_user_'))?.trim() ?? '';
    const body = { name: 'c', description: 'd', repositories: [{ localPath: '/nowhere' }] };
    expect((await send('POST', '/api/v1/contracts', { key, body })).status).toBe(201);
    await expect
      .poll(async () => {
        const { json } = await send('GET', '/admin/queues/api/queues', { key });
        return json.queues.find((queue: { name: string }) => queue.name === 'mk1-spawn-task')
          ?.counts.waiting;
      })
      .toBe(1);
    running.child.kill('SIGTERM');
    expect(await running.exit).toBe(0);
    await fresh.drop();
  });

  it('serves without Redis, degraded, and listens before there is a store', async () => {
    const running = start(environment({ REDIS_URL: 'redis://127.0.0.1:1' }));
    const send = sender(Number((await running.line('listening'))['port']));
    await expect
      .poll(async () => (await send('GET', '/readyz')).json)
      .toMatchObject({ ok: true, degraded: ['redis'] });
    running.child.kill('SIGTERM');
    expect(await running.exit).toBe(0);
    const storeless = start(environment({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }));
    const ask = sender(Number((await storeless.line('listening'))['port']));
    expect((await ask('GET', '/livez')).status).toBe(200);
    const ready = await ask('GET', '/readyz');
    expect(ready).toMatchObject({ status: 503, json: { code: 'DEPENDENCY_UNAVAILABLE' } });
    expect(ready.headers['retry-after']).toBeDefined();
    const key = mintToken('user', randomUUID()).token;
    const unserved = await ask('GET', '/api/v1/whoami', { key });
    expect(unserved).toMatchObject({
      status: 503,
      json: { code: 'DEPENDENCY_UNAVAILABLE', retryable: true },
    });
    expect(unserved.headers['retry-after']).toBeDefined();
    storeless.child.kill('SIGTERM');
    expect(await storeless.exit).not.toBeNull();
  });

  it('refuses an environment that does not fit, with everything that is wrong', async () => {
    const running = start({ PORT: 'x', MAKIMA_LIMITS: 'nothing=1' });
    expect(await running.exit).toBe(2);
    const text = running.lines.join('\n');
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'PORT', 'MAKIMA_LIMITS'])
      expect(text).toContain(name);
  });
});
