// The root script on machines that lack something: one line, with its fix.
// Why: the first thing that many people see of makima is its first start.
// Law: nothing is downloaded here; a copy of the script finds itself unprepared and says why.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout } from './checkout.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'makima first start '));
  for (const name of ['makima', 'pnpm-lock.yaml'])
    copyFileSync(join(checkout, name), join(dir, name));
  const basics = 'dirname readlink uname cksum stat mkdir flock sleep tail rm mv';
  for (const name of basics.split(' ')) provide(name);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const provide = (name: string): void => {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  symlinkSync(found, join(dir, name));
};

const pretend = (name: string, script: string): void => {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, name), 0o755);
};

const start = (...args: string[]): string => {
  const env = { PATH: dir, HOME: '/nonexistent' };
  const { stderr, status } = spawnSync('/bin/sh', [join(dir, 'makima'), ...args], {
    env,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  return stderr.trim();
};

describe('a first start', () => {
  it('without git', () => {
    expect(start('up')).toBe('makima: needs git: apt-get install git');
  });

  it('without Node', () => {
    provide('git');
    expect(start('up')).toMatch(/^makima: needs Node 18 or newer with npm once.*: apt-get install/);
  });

  it('with a Node that is too old even for that', () => {
    provide('git');
    pretend('node', '[ "$1" = --version ] && echo v16.3.0; exit 1');
    expect(start('up')).toMatch(/^makima: needs Node 18 or newer.*this is v16\.3\.0: install/);
  });

  it('without npm', () => {
    provide('git');
    pretend('node', 'case $2 in *execPath*) exit 1 ;; esac');
    expect(start('up')).toBe('makima: needs npm once, to fetch its toolchain: apt-get install npm');
  });

  it('on another system and another processor', () => {
    rmSync(join(dir, 'uname'));
    pretend('uname', 'case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac');
    expect(start('up')).toMatch(/^makima: runs on Linux, and this is Darwin: use /);
    pretend('uname', 'case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac');
    expect(start('up')).toMatch(/^makima: runs on x86_64 and arm64, and this is riscv64: use /);
  });

  it('when nothing can be fetched shows why, and the next start tries again', () => {
    provide('git');
    pretend('node', 'case $2 in *execPath*) exit 1 ;; esac');
    pretend('npm', 'echo no route to host; exit 1');
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect(start('up').split('\n')).toEqual([
        expect.stringMatching(/^makima: fetching node-linux-\S+ @pnpm\/exe\S+ \(once\)$/),
        'no route to host',
        expect.stringMatching(/^makima: could not finish .* check the network, and start again$/),
      ]);
    }
  });

  it('behind a proxy with a certificate of its own says which variable names it', () => {
    provide('git');
    pretend('node', 'case $2 in *execPath*) exit 1 ;; esac');
    pretend('npm', 'echo npm error code SELF_SIGNED_CERT_IN_CHAIN; exit 1');
    expect(start('up').split('\n').at(-1)).toMatch(/^makima: could not .*NODE_EXTRA_CA_CERTS=\S+$/);
  });
});
