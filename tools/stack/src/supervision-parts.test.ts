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
import { movesInWords, planPorts, type PortMove, type PortWish } from './port-plan.ts';
import { anyFreePort } from './ports.ts';
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
  const wishes = (port: number): PortWish[] => [{ name: 'api', preferred: port }];
  let moves: PortMove[];
  const options = {
    mode: 'preferred' as const,
    onMoved: (all: readonly PortMove[]) => moves.push(...all),
  };
  beforeEach(() => {
    moves = [];
  });

  it('moves on from a taken port, says so, and stays there at the next start', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const first = await planPorts(home, wishes(port), options);
    const moved = first.ports.get('api')!;
    expect(moved).toBeGreaterThan(port);
    expect(moves).toEqual([{ name: 'api', taken: port, port: moved }]);
    first.release();
    server.close();
    await once(server, 'close');
    const second = await planPorts(home, wishes(port), options);
    expect(second.ports).toEqual(first.ports);
    expect(moves).toHaveLength(1);
    second.release();
  });

  it('gives stacks that start at once different ports, though nobody listens yet', async () => {
    const preferred = await anyFreePort();
    const other = homeAt(join(home.root, 'other'));
    ensureHome(other);
    const plans = await Promise.all(
      [home, other].map((one) => planPorts(one, wishes(preferred), options)),
    );
    const [one, two] = plans.map(({ ports }) => ports.get('api'));
    expect(one).not.toBe(two);
    expect(moves).toHaveLength(1);
    for (const { release } of plans) release();
  });

  it('tells of one port, or of several, in one line', () => {
    const api = { name: 'api', taken: 7400, port: 7404 };
    const redis = { name: 'redis', taken: 7479, port: 7480 };
    expect(movesInWords([api])).toBe('port 7400 is taken: api listens on 7404');
    expect(movesInWords([api, redis])).toBe(
      'usual ports are taken: api listens on 7404, redis on 7480',
    );
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
