// The life of the real stack as people see it: up, seen, up again, killed, back, down, forgotten.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../checkout.ts';
import { identify } from '../process-identity.ts';
import { untilTrue } from '../store-ready.ts';
import type { StatusReport } from './status.ts';

let dir: string;
const main = join(checkout, 'tools', 'stack', 'src', 'main.ts');
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  MAKIMA_HOME: join(dir, 'home'),
});

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'makima up '));
});
afterAll(() => {
  makima('down', '--purge');
  rmSync(dir, { recursive: true, force: true });
});

const makima = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    env: environment(),
    encoding: 'utf8',
  });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
};
const status = (): StatusReport => JSON.parse(makima('status', '--json').out) as StatusReport;
const urlIn = (out: string): string => /^url +(\S+)$/m.exec(out)?.[1] ?? out;

describe('the stack in the background', () => {
  let url: string;

  it('comes up, shows the owner key once, and everything is ready', async () => {
    const { code, out, err } = makima('up', '--detach');
    expect([code, err]).toEqual([0, expect.stringContaining('in the background')]);
    expect(out).toMatch(/^owner key {2}mk_user_\w+$/m);
    url = urlIn(out);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const report = status();
    expect(report).toMatchObject({ url, running: true });
    expect(report.processes.map(({ name, health }) => `${name} ${health}`)).toEqual([
      'postgres ready',
      'redis ready',
      'api ready',
      'daemon-gateway ready',
      'scheduler ready',
      'restorer ready',
      'daemon ready',
    ]);
  });

  it('keeps the owner key out of every log', () => {
    const { out } = makima('logs', '-n', '2000');
    expect(out).toContain('api');
    expect(out).not.toMatch(/mk_user_\w{40}/);
  });

  it('is left alone by a second start', () => {
    const { code, out } = makima('up', '-d');
    expect([code, urlIn(out)]).toEqual([0, url]);
    expect(out).not.toContain('mk_user_');
    expect(status().processes.every(({ restarts }) => restarts === 0)).toBe(true);
  });

  it('comes back after every process of it was killed', async () => {
    for (const { pid } of status().processes) process.kill(pid!, 'SIGKILL');
    await untilTrue(
      'every process',
      () => Promise.resolve(status().processes.every(({ health }) => health === 'ready')),
      { timeoutMs: 20_000 },
    );
    expect(status().processes.map(({ restarts }) => restarts)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('goes down, and leaves nothing', async () => {
    const pids = status().processes.map(({ pid }) => pid!);
    expect(makima('down')).toMatchObject({ code: 0, err: 'makima: stopped' });
    expect(pids.filter((pid) => identify(pid))).toEqual([]);
    expect(makima('status').code).toBe(3);
    expect(makima('down', '--purge').out).toContain(`removed ${join(dir, 'home')}`);
    expect(existsSync(join(dir, 'home'))).toBe(false);
  });
});

describe('the stack in the terminal', () => {
  it('drains on Ctrl-C', async () => {
    const child = spawn(process.execPath, [main, 'up', '--no-daemon'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const pids = status().processes.map(({ pid }) => pid!);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(pids.filter((pid) => identify(pid))).toEqual([]);
  });

  it('takes everything with it when it is killed', async () => {
    const child = spawn(process.execPath, [main, 'up', '--no-daemon'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const pids = status().processes.map(({ pid }) => pid!);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await untilTrue('the end', () => Promise.resolve(pids.every((pid) => !identify(pid))), {
      timeoutMs: 20_000,
    });
    expect(makima('status').code).toBe(3);
  });
});
