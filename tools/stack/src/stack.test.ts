// Holds the stack to its laws, with real stores and small stand-in services.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadSettingsError } from './bad-settings.ts';
import { stackStatus } from './commands/status.ts';
import { fixture, fixtureLayout } from './fixture-layout.ts';
import { homeAt } from './home.ts';
import { identify } from './process-identity.ts';
import {
  AlreadyRunningError,
  Stack,
  startStack,
  type StackEvent,
  type StackOptions,
} from './stack.ts';
import { readState, runningState } from './state-file.ts';
import { untilTrue } from './store-ready.ts';
import { keepStoreUrls, storeFileEnvironment } from './store-secrets.ts';
import { emptyDatabase, testRedis } from './test-stores.ts';

let dir: string;
let options: StackOptions;
const running: Stack[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'makima stack '));
  const env = { PATH: process.env.PATH, MAKIMA_FIXTURE_LEDGER: join(dir, 'ledger') };
  options = {
    home: homeAt(join(dir, 'home')),
    env,
    ports: 'random',
    daemon: 'local',
    layout: fixtureLayout(),
  };
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((stack) => stack.stop()));
  rmSync(dir, { recursive: true, force: true });
});

const start = async (changes: Partial<StackOptions> = {}): Promise<Stack> => {
  const stack = await startStack({ ...options, ...changes });
  running.push(stack);
  return stack;
};

const ledger = (): string[] => {
  const file = join(dir, 'ledger');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

const until = (what: string, probe: () => boolean | Promise<boolean>): Promise<void> =>
  untilTrue(what, async () => probe(), { timeoutMs: 10_000 });

describe('start and stop', () => {
  it('brings everything up in order, and drains it in the opposite order', async () => {
    const stack = await start();
    await until('the daemon', () => ledger().some((line) => line.startsWith('daemon started')));
    expect(ledger()[0]).toBe('migrated');
    expect(ledger().slice(-2)).toEqual(['daemon joined', 'daemon started, knows 0 store secrets']);
    const pids = [...stack.processes.values()].map((one) => one.pid!);
    await stack.stop();
    const [firstDrained, ...others] = ledger().slice(5);
    expect(firstDrained).toBe('daemon drained');
    expect(others.toSorted()).toEqual(['api drained', 'service drained']);
    expect(pids.filter((pid) => identify(pid))).toEqual([]);
    expect(readState(options.home)).toBeUndefined();
  });

  it('keeps data and enrolment, and keeps secrets to itself', async () => {
    const first = await start();
    const sql = postgres(first.addresses.databaseUrl, { max: 1 });
    await sql`create table kept (id int)`;
    await sql.end();
    await first.stop();
    const second = await start();
    const again = postgres(second.addresses.databaseUrl, { max: 1 });
    expect(await again`select count(*)::int as n from kept`).toEqual([{ n: 0 }]);
    await again.end();
    expect(ledger().filter((line) => line === 'daemon joined')).toHaveLength(1);
    const names = readdirSync(options.home.secrets).toSorted();
    expect(names).toEqual([
      'daemon.token',
      'database.url',
      'owner.key',
      'postgres.password',
      'redis.password',
      'redis.url',
    ]);
    const secrets = names.map((name) => {
      expect(statSync(join(options.home.secrets, name)).mode & 0o777).toBe(0o600);
      return readFileSync(join(options.home.secrets, name), 'utf8').trim();
    });
    for (const one of second.processes.values()) {
      const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${one.pid}/${name}`));
      expect(secrets.filter((text) => seen.some((bytes) => bytes.includes(text)))).toEqual([]);
    }
  });

  it('lets a machine that was revoked join anew, and says why it cannot without the owner key', async () => {
    const first = await start();
    await first.stop();
    const token = join(options.home.secrets, 'daemon.token');
    writeFileSync(token, 'revoked', { mode: 0o600 });
    const lines: string[] = [];
    const onEvent = (event: StackEvent): void => {
      if (event.kind === 'progress') lines.push(event.line);
    };
    const second = await start({ onEvent });
    expect(lines.filter((line) => line.includes('revoked'))).toHaveLength(1);
    expect(readFileSync(token, 'utf8')).toContain('joined');
    await second.stop();

    writeFileSync(token, 'revoked', { mode: 0o600 });
    writeFileSync(join(options.home.secrets, 'owner.key'), '', { mode: 0o600 });
    await expect(start()).rejects.toThrow('this machine was revoked');
    expect(readFileSync(token, 'utf8')).toBe('revoked');
  });

  it('starts a service as often as it is told', async () => {
    const stack = await start({ daemon: 'none', replicas: { gateway: 2 } });
    const ports = ['gateway', 'gateway-2'].map((name) => stack.process(name).record.port);
    expect(new Set(ports).size).toBe(2);
    const { processes } = await stackStatus(options.home);
    expect(processes.map(({ name, health }) => `${name} ${health}`)).toEqual([
      'postgres ready',
      'redis ready',
      'api ready',
      'gateway ready',
      'gateway-2 ready',
    ]);
  });

  it('uses the stores that are named, and starts none beside them', async () => {
    const [database, redis] = await Promise.all([emptyDatabase(), testRedis()]);
    try {
      const env = { ...options.env, DATABASE_URL: database.url, REDIS_URL: redis.url };
      const stack = await start({ env, daemon: 'none' });
      expect([...stack.processes.keys()]).toEqual(['api', 'gateway']);
      expect(stack.addresses).toMatchObject({ databaseUrl: database.url, redisUrl: redis.url });
      expect(readState(options.home)?.stores).toEqual({ postgres: 'external', redis: 'external' });
      await stack.stop();

      keepStoreUrls(options.home, { databaseUrl: database.url, redisUrl: redis.url });
      const byFile = { ...options.env, ...storeFileEnvironment(options.home) };
      const again = await start({ env: byFile, daemon: 'none' });
      expect([...again.processes.keys()]).toEqual(['api', 'gateway']);
      expect(again.addresses).toMatchObject({ databaseUrl: database.url, redisUrl: redis.url });
      await again.stop();
    } finally {
      await Promise.all([database.drop(), redis.stop()]);
    }
  });

  it('gives services no credential of a person', async () => {
    const env = { ...options.env, MAKIMA_TOKEN: 'x', SECRET_OF_MINE: 'x', MAKIMA_LIMITS: '' };
    await start({ env });
    const seen = readFileSync(join(options.home.logs, 'api.log'), 'utf8');
    expect(seen).toContain('MAKIMA_LIMITS');
    expect(seen).not.toMatch(/MAKIMA_TOKEN|SECRET_OF_MINE/);
  });

  it('refuses a second stack in the same home', async () => {
    await start({ daemon: 'none' });
    await expect(startStack(options)).rejects.toBeInstanceOf(AlreadyRunningError);
    expect(runningState(options.home)?.pid).toBe(process.pid);
  });
});

describe('failures', () => {
  it('names the service that does not start, and leaves nothing running', async () => {
    const broken = { name: 'broken', main: fixture('crashing'), port: 7510 };
    const stack = new Stack({ ...options, layout: fixtureLayout([broken]) });
    await expect(stack.start()).rejects.toThrow(/broken does not start.*logs\/broken\.log/);
    expect(readFileSync(join(options.home.logs, 'broken.log'), 'utf8')).toContain('is wrong');
    expect([...stack.processes.values()].map((one) => one.pid)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  it('is told at once that settings do not fit, in the words of whom they do not fit', async () => {
    const odd = { name: 'odd', main: fixture('bad-settings'), port: 7510 };
    const died: string[] = [];
    const onEvent = (event: StackEvent): void => {
      if (event.kind === 'died') died.push(event.name);
    };
    const stack = new Stack({ ...options, onEvent, layout: fixtureLayout([odd]) });
    const failure = await stack.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadSettingsError);
    expect(String(failure)).toContain('/etc/makima.toml: contracts.grace: must be a number');
    expect([died, stack.process('odd').record.restarts]).toEqual([[], 0]);
    await expect(stack.process('odd').whenReady()).rejects.toBe(failure);
  });

  it('names a missing file before it starts anything', async () => {
    const missing = { name: 'missing', main: '/nowhere/main.ts', port: 7510 };
    const layout = fixtureLayout([missing]);
    await expect(startStack({ ...options, layout })).rejects.toThrow('/nowhere/main.ts');
    expect(existsSync(options.home.root)).toBe(false);
  });

  it.each(['api', 'postgres', 'redis', 'daemon'])('starts %s again after kill -9', async (name) => {
    const stack = await start();
    const one = stack.process(name);
    const before = one.pid!;
    one.signal('SIGKILL');
    await until('the death', () => one.pid !== before);
    await one.whenReady();
    expect(one.record).toMatchObject({ restarts: 1 });
    expect(identify(before)).toBeUndefined();
    await until('the record', async () =>
      (await stackStatus(options.home)).processes.every(({ health }) => health === 'ready'),
    );
  });

  it('kills what does not drain', async () => {
    const stubborn = { name: 'stubborn', main: fixture('stubborn'), port: 7510 };
    const stack = await start({ daemon: 'none', layout: fixtureLayout([stubborn]) });
    const one = stack.process('stubborn');
    Object.assign(one.spec, { stopTimeoutMs: 200 });
    const pid = one.pid!;
    await stack.stop();
    expect(identify(pid)).toBeUndefined();
  });
});
