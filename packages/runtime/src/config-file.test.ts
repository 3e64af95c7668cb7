/** A file of settings: what it says, what the environment says over it, and every way in which it is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { setting } from './config.ts';
import { readSettings, withConfigFile } from './config-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'makima-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const tables = {
  contracts: new Map([
    ['grace', 'MAKIMA_GRACE'],
    ['name', 'MAKIMA_NAME'],
  ]),
  flags: new Map([['fast', 'MAKIMA_FAST']]),
};
const file = (text: string): { MAKIMA_CONFIG_FILE: string } => {
  const path = join(dir, 'makima.toml');
  writeFileSync(path, text);
  return { MAKIMA_CONFIG_FILE: path };
};
const refusal = (text: string): string => {
  try {
    withConfigFile(file(text), tables);
  } catch (error) {
    return String(error);
  }
  throw new Error('it was taken');
};

it('adds what the environment does not say', () => {
  const env = {
    ...file('[contracts]\ngrace = 5\nname = "x"\n[flags]\nfast = false'),
    MAKIMA_NAME: 'y',
  };
  expect(withConfigFile(env, tables).env).toEqual({
    ...env,
    MAKIMA_GRACE: '5',
    MAKIMA_NAME: 'y',
    MAKIMA_FAST: 'false',
  });
  expect(withConfigFile({ A: '1' }, tables).env).toEqual({ A: '1' });
});

it('names everything that is wrong, and no value', () => {
  const text = refusal('secret = "hush"\n[contracts]\nwhat = "hush"\ngrace = [1]\n[more]\nx = 1');
  for (const name of ['secret', 'contracts.what', 'contracts.grace', 'more'])
    expect(text).toContain(name);
  expect(text).not.toContain('hush');
  expect(refusal('[contracts')).toContain('not TOML');
  const away = { MAKIMA_CONFIG_FILE: join(dir, 'away.toml') };
  expect(() => withConfigFile(away, tables)).toThrow('ENOENT');
});

it('tells where a value stands that does not fit: file and key, or variable', () => {
  const schema = z.object({
    MAKIMA_GRACE: setting.int({ max: 9 }).default(3).describe('How long'),
    MAKIMA_FAST: setting.flag().default(true).describe('Whether it is fast'),
  });
  const env = { ...file('[contracts]\ngrace = 77'), MAKIMA_FAST: 'perhaps' };
  const told = (): unknown => readSettings(schema, env, tables);
  expect(told).toThrow(`${env.MAKIMA_CONFIG_FILE}: contracts.grace: `);
  expect(told).toThrow('MAKIMA_FAST: must be true or false (Whether it is fast)');
  expect(told).not.toThrow('77');
  expect(readSettings(schema, file('[contracts]\ngrace = 7'), tables)).toEqual({
    MAKIMA_GRACE: 7,
    MAKIMA_FAST: true,
  });
});
