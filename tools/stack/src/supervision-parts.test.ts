// The small parts that supervision stands on: identity, lock, ports, logs, suggestions.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureHome, homeAt, secret, type Home } from './home.ts';
import { lastLines, LogFile } from './log-file.ts';
import { planPorts } from './port-plan.ts';
import { endProcess, identify, isAlive, signalProcess } from './process-identity.ts';
import { takeStartLock } from './start-lock.ts';
import { suggest } from './suggest.ts';

let home: Home;
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'makima-parts-')));
  ensureHome(home);
});
afterEach(() => rmSync(home.root, { recursive: true, force: true }));

const sleeper = (): number => spawn('sleep', ['60'], { stdio: 'ignore' }).pid!;

describe('process identity', () => {
  it('ends the process it knows', async () => {
    const identity = identify(sleeper())!;
    expect(isAlive(identity)).toBe(true);
    await endProcess(identity, 'SIGTERM', 5000);
    expect(isAlive(identity)).toBe(false);
  });

  it('sends nothing to a process that only has the same number', async () => {
    const identity = identify(sleeper())!;
    const stranger = { pid: identity.pid, startTime: `1${identity.startTime}` };
    expect(signalProcess(stranger, 'SIGKILL')).toBe(false);
    expect(isAlive(identity)).toBe(true);
    await endProcess(identity, 'SIGKILL', 5000);
  });
});

describe('start lock', () => {
  it('names its living owner, and can be taken again after release', () => {
    const first = takeStartLock(home);
    expect(takeStartLock(home)).toMatchObject({ taken: false, owner: { pid: process.pid } });
    if (first.taken) first.release();
    expect(takeStartLock(home).taken).toBe(true);
  });

  it.each(['', 'not json', '{"pid":1,"startTime":"1@old"}'])('clears a dead lock %j', (text) => {
    writeFileSync(join(home.run, 'stack.lock'), text);
    expect(takeStartLock(home).taken).toBe(true);
    expect(readdirSync(home.run)).toEqual(['stack.lock']);
  });

  it('is taken by exactly one of many starts at once', async () => {
    const code = `import { takeStartLock } from '${import.meta.dirname}/start-lock.ts';
      import { homeAt } from '${import.meta.dirname}/home.ts';
      console.log(takeStartLock(homeAt(${JSON.stringify(home.root)})).taken);
      process.stdin.resume();`;
    writeFileSync(join(home.run, 'stack.lock'), '{"pid":1,"startTime":"1@old"}');
    const starts = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '--eval', code], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const answers = await Promise.all(
      starts.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()),
    );
    expect(answers.toSorted()).toEqual(['false', 'false', 'false', 'true']);
    await Promise.all(
      starts.map(async (start) => {
        start.stdin.end();
        await once(start, 'exit');
      }),
    );
  });
});

describe('planPorts', () => {
  it('moves on from a taken port, says so, and stays there at the next start', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const moved: string[] = [];
    const options = { mode: 'preferred' as const, onMoved: (name: string) => moved.push(name) };
    const first = await planPorts(home, [{ name: 'api', preferred: port }], options);
    expect(first.get('api')).toBeGreaterThan(port);
    expect(moved).toEqual(['api']);
    server.close();
    await once(server, 'close');
    expect(await planPorts(home, [{ name: 'api', preferred: port }], options)).toEqual(first);
  });
});

describe('secret', () => {
  it('is made once', () => {
    const value = secret(home, 'one');
    expect(value).toMatch(/^[0-9a-f]{48}$/);
    expect(secret(home, 'one')).toBe(value);
    expect(secret(home, 'two')).not.toBe(value);
  });
});

describe('LogFile', () => {
  it('keeps a bounded number of bounded files', () => {
    const path = join(home.logs, 'a.log');
    const log = new LogFile(path, { maxBytes: 10, keep: 1 });
    for (const line of ['first line\n', 'second line\n', 'third line\n']) log.write(line);
    log.close();
    log.write('after the end\n');
    expect(readdirSync(home.logs).toSorted()).toEqual(['a.log', 'a.log.1']);
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('second line\n');
    expect(lastLines(path, 5)).toEqual(['third line']);
    expect(lastLines(join(home.logs, 'none.log'), 5)).toEqual([]);
  });
});

describe('suggest', () => {
  it('finds a near word and no far one', () => {
    const words = ['status', 'logs', 'doctor'];
    expect(suggest('statsu', words)).toBe('status');
    expect(suggest('doc', words)).toBe('doctor');
    expect(suggest('frobnicate', words)).toBeUndefined();
  });
});
