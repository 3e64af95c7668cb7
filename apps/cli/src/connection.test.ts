/** Where the command line finds its server and key. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConnection, type Connection } from './connection.ts';
import type { Io } from './io.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'makima-connection-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const stackUrl = 'http://127.0.0.1:7411';

function put(file: string, content: unknown): void {
  const path = join(root, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

function runningStack(home = 'checkout/.makima'): void {
  put(`${home}/run/stack.json`, { url: stackUrl });
  put(`${home}/secrets/owner.key`, 'owner-key\n');
}

function find(env: Record<string, string> = {}, url?: string): Connection {
  const io = { checkout: join(root, 'checkout'), env: { HOME: root, ...env } } as unknown as Io;
  return findConnection(io, url);
}

describe('findConnection', () => {
  it('takes the stack that runs from this checkout, with its owner key', () => {
    runningStack();
    expect(find()).toEqual({ url: stackUrl, key: 'owner-key' });
    expect(find({}, `${stackUrl}/`)).toEqual({ url: stackUrl, key: 'owner-key' });
  });

  it('takes no key that is kept for people in the shell of an agent', () => {
    runningStack();
    put('.config/makima/hosts.json', { hosts: { 'http://a:1': { token: 'ta' } } });
    const agent = { MAKIMA_RUN_ID: 'r' };
    for (const env of [agent, { ...agent, MAKIMA_URL: 'http://a:1', MAKIMA_TOKEN: '' }]) {
      expect(() => find(env)).toThrow('this is the shell of an agent');
    }
    const run = { url: 'http://a:1/mcp', key: 'mkrun_x' };
    expect(find({ ...agent, MAKIMA_URL: run.url, MAKIMA_TOKEN: run.key })).toEqual(run);
    const handed = { ...agent, MAKIMA_TOKEN: 'mk_user_given' };
    expect(find(handed)).toEqual({ url: stackUrl, key: 'mk_user_given' });
  });

  it('takes a key from the file that MAKIMA_TOKEN_FILE names, if it is for its owner alone', () => {
    const file = join(root, 'key');
    const env = { MAKIMA_URL: 'http://a:1', MAKIMA_TOKEN_FILE: file };
    expect(() => find(env)).toThrow('it does not exist');
    writeFileSync(file, '\n', { mode: 0o600 });
    expect(() => find(env)).toThrow('it is empty');
    writeFileSync(file, 'mk_user_filed\n');
    expect(find(env).key).toBe('mk_user_filed');
    expect(() => find({ ...env, MAKIMA_TOKEN: 'x' })).toThrow('and so is MAKIMA_TOKEN_FILE');
    expect(() => find({ ...env, MAKIMA_RUN_ID: 'r' })).toThrow('the shell of an agent');
    chmodSync(file, 0o640);
    expect(() => find(env)).toThrow('others can read the key');
  });

  it('looks for the stack where MAKIMA_HOME says', () => {
    runningStack('elsewhere');
    expect(find({ MAKIMA_HOME: join(root, 'elsewhere') }).key).toBe('owner-key');
  });

  it('prefers --url, then MAKIMA_URL; and never gives them the key of another server', () => {
    runningStack();
    const env = { MAKIMA_URL: 'http://b:1' };
    expect(find(env, 'https://a:2/base/')).toEqual({ url: 'https://a:2/base', key: undefined });
    expect(find(env)).toEqual({ url: 'http://b:1', key: undefined });
    expect(find({ ...env, MAKIMA_TOKEN: 't' })).toEqual({ url: 'http://b:1', key: 't' });
  });

  it('reads hosts.json for the rest', () => {
    put('config/makima/hosts.json', {
      default: 'http://b:1',
      hosts: { 'http://a:1': { token: 'ta' }, 'http://b:1/': { token: 'tb' } },
    });
    const env = { XDG_CONFIG_HOME: join(root, 'config') };
    expect(find(env)).toEqual({ url: 'http://b:1', key: 'tb' });
    expect(find(env, 'http://a:1')).toEqual({ url: 'http://a:1', key: 'ta' });
    put('.config/makima/hosts.json', { hosts: { 'http://only:1': { token: 'to' } } });
    expect(find()).toEqual({ url: 'http://only:1', key: 'to' });
  });

  it('says how to start when there is nothing', () => {
    expect(() => find()).toThrow(
      expect.objectContaining({ code: 'DEPENDENCY_UNAVAILABLE', fix: './makima up' }),
    );
  });

  it.each(['ftp://a', 'nonsense', 'http://user:secret@a'])('refuses the address %s', (url) => {
    expect(() => find({}, url)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
  });

  it('names a file that it cannot read as JSON', () => {
    put('.config/makima/hosts.json', '{');
    expect(() => find()).toThrow(/hosts\.json is not valid JSON/);
  });
});
