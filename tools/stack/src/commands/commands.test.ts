// The commands as people type them: output, exit codes, errors in one line.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeAt as daemonHomeAt, takeHome } from '@makima/daemon/home';
import { checkout } from '../checkout.ts';

let home: string;
beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'makima commands ')), 'home');
});
afterEach(() => rmSync(join(home, '..'), { recursive: true, force: true }));

const makima = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const main = join(checkout, 'tools', 'stack', 'src', 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, HOME: join(home, '..'), MAKIMA_HOME: home, ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
};

describe('usage', () => {
  it.each(['up', 'down', 'status', 'logs', 'doctor', 'test'])(
    '%s has help with an example',
    (name) => {
      const { code, out } = makima([name, '--help']);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: makima ${name}[^]*Example: makima ${name}`));
    },
  );

  it('knows its commands, and the one that was meant', () => {
    expect(makima(['help']).out).toContain('makima status');
    expect(makima(['statsu'])).toMatchObject({
      code: 2,
      err: 'makima: unknown command statsu: did you mean status?',
    });
  });

  it('refuses an option that it does not know', () => {
    expect(makima(['up', '--forever'])).toMatchObject({
      code: 2,
      err: "makima: unknown option '--forever' (what there is: --help)",
    });
    expect(makima(['down', '--purg'])).toMatchObject({
      code: 2,
      err: "makima: unknown option '--purg' (did you mean --purge?)",
    });
    expect(makima(['doctor', 'extra'])).toMatchObject({
      code: 2,
      err: "makima: 'extra' means nothing here (what there is: --help)",
    });
  });
});

describe('a home in which nothing runs', () => {
  it('status says so', () => {
    expect(makima(['status'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('not running'),
    });
    const { code, out } = makima(['status', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({ url: null, running: false, processes: [] });
    expect(existsSync(home)).toBe(false);
  });

  it('down has nothing to do, and purge removes what makima made and nothing else', () => {
    for (const part of ['run', 'logs', 'secrets', 'demo', 'notes']) {
      mkdirSync(join(home, part), { recursive: true });
    }
    const { code, out, err } = makima(['down', '--purge']);
    expect([code, err]).toEqual([0, 'makima: nothing runs here']);
    expect(out.split('\n')).toEqual([
      `removed ${join(home, 'run')}`,
      `removed ${join(home, 'logs')}`,
      `removed ${join(home, 'secrets')}`,
      `removed ${join(home, 'demo')}`,
      `left ${home}, which holds other things: notes`,
    ]);
    expect(readdirSync(home)).toEqual(['notes']);
  });

  it('purge leaves a machine that was joined by hand, and names the commands that end it', () => {
    const [beside, inside] = [join(home, '..', "my 'box'"), join(home, 'joined', 'second')];
    const env = { MAKIMA_DAEMON_HOME: beside };
    for (const folder of [beside, inside]) mkdirSync(join(folder, 'git'), { recursive: true });
    mkdirSync(join(home, 'joined', 'empty'));
    const at = `'${beside.replaceAll("'", `'\\''`)}'`;
    expect(makima(['down', '--purge'], env).out.split('\n')).toEqual([
      `left ${inside}, of a daemon that was joined by hand and does not run: it may hold work that is not merged.`,
      `  rm -r -- '${inside}'   forgets it and its work`,
      `left ${home}, which holds other things: joined`,
      `left ${beside}, of a daemon that was joined by hand and does not run: it may hold work that is not merged.`,
      `  rm -r -- ${at}   forgets it and its work`,
    ]);

    // This process stands for their daemon: it lives.
    for (const folder of [beside, inside]) takeHome(daemonHomeAt(folder));
    writeFileSync(join(beside, 'status.json'), JSON.stringify({ running: ['a', 'b'] }));
    const lives = `(process ${process.pid}): it may hold work that is not merged.`;
    const kill = `  kill ${process.pid}   stops it, as Ctrl-C does; then`;
    expect(makima(['down', '--purge'], env).out.split('\n')).toEqual([
      `left ${inside}, of a daemon that was started by hand and still runs ${lives}`,
      `${kill} rm -r -- '${inside}'   forgets it and its work`,
      `left ${home}, which holds other things: joined`,
      `left ${beside}, of a daemon that was started by hand and still runs with 2 agents ${lives}`,
      `${kill} rm -r -- ${at}   forgets it and its work`,
    ]);
    expect(readdirSync(inside)).toEqual(['daemon.lock', 'git']);

    rmSync(inside, { recursive: true });
    expect(makima(['down', '--purge']).out.split('\n')).toEqual([
      `removed ${join(home, 'joined')}`,
      `removed ${home}`,
    ]);
  });

  it('logs shows what is there, and names what is not', () => {
    mkdirSync(join(home, 'logs'), { recursive: true });
    writeFileSync(join(home, 'logs', 'api.log'), 'one\ntwo\nthree\n');
    writeFileSync(join(home, 'logs', 'redis.log'), 'ready\n');
    expect(makima(['logs', 'api', '-n', '2']).out).toBe('two\nthree');
    expect(makima(['logs', '-n', '1']).out).toBe('api   | three\nredis | ready');
    expect(makima(['logs', 'apo'])).toMatchObject({
      code: 2,
      err: 'makima: no log of apo: did you mean api?',
    });
  });

  it('up names a home that it cannot use', () => {
    writeFileSync(home, 'a file');
    expect(makima(['up', '--detach'])).toMatchObject({
      code: 1,
      err: `makima: cannot write to ${home}: set MAKIMA_HOME to a folder of your own`,
    });
  });
});

describe('doctor', () => {
  interface Check {
    name: string;
    status: string;
    detail: string;
    fix?: string;
  }
  const doctor = (env: NodeJS.ProcessEnv = {}) => {
    const { code, out } = makima(['doctor', '--json'], env);
    const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Check[] };
    return { code, ok, checks, find: (name: string) => checks.find((one) => one.name === name) };
  };

  it('is content with this machine, and gives a fix with every warning', () => {
    const { code, ok, checks } = doctor();
    expect([code, ok]).toEqual([0, true]);
    for (const { status, fix } of checks) expect(fix === undefined).toBe(status === 'pass');
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['node', 'git', 'disk', 'postgres', 'redis', 'clock']),
    );
  });

  it('fails without git and with stores that do not answer, and says what to do', () => {
    const { code, ok, find } = doctor({
      PATH: '/nonexistent',
      DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c',
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    expect([code, ok]).toEqual([1, false]);
    expect(find('git')).toMatchObject({ status: 'fail', fix: 'apt-get install git' });
    expect(find('postgres')).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('unset'),
    });
    expect(find('redis')).toMatchObject({ status: 'fail', fix: expect.stringContaining('unset') });
  });

  it('says of each agent its version and who is signed in', () => {
    const person = join(home, '..', 'person');
    mkdirSync(join(person, '.codex'), { recursive: true });
    const install = (name: string, version: string) => {
      const path = join(person, name);
      writeFileSync(path, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
      return path;
    };
    const codex = install('codex', 'codex-cli 0.169.3');
    const claude = install('claude', '1.0.0');
    const env = { HOME: person, MAKIMA_CODEX_PATH: codex, MAKIMA_CLAUDE_PATH: claude };
    const outside = doctor({ ...env, ANTHROPIC_API_KEY: 'test' });
    expect(outside.code).toBe(0);
    expect(outside.find('agent codex')).toMatchObject({
      status: 'warn',
      detail: `0.169.3 at ${codex}: Nobody is signed in to Codex`,
      fix: expect.stringContaining('codex login'),
    });
    expect(outside.find('agent claude')).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('1.0.0 at'),
      fix: expect.stringContaining('tested'),
    });
    writeFileSync(join(person, '.codex', 'auth.json'), '{}');
    expect(doctor(env).find('agent codex')).toMatchObject({
      status: 'pass',
      detail: `0.169.3 at ${codex}, signed in`,
    });
    install('codex', 'it is broken; exit 1');
    expect(doctor(env).find('agent codex')).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining(`run ${codex} by hand`),
    });
  });
});
