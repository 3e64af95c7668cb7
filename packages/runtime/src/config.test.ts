/** Settings: parsed, bounded, documented, and never echoed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, describeConfig, readConfig, secret, setting } from './config.ts';

const schema = z.object({
  MAKIMA_PORT: setting.port().default(7400).describe('Port of the API'),
  DATABASE_URL: secret(setting.url(['postgres', 'postgresql']), 'Where Postgres is'),
  MAKIMA_OPEN: setting.flag().default(false).describe('Let everybody in'),
  MAKIMA_HOSTS: setting.list().default(['localhost']).describe('Allowed hosts'),
  MAKIMA_LEVEL: setting.choice(['info', 'debug']).default('info').describe('How much is logged'),
  MAKIMA_RACE: setting.text().optional().describe('Racepoints of chaos tests'),
  MAKIMA_TRIES: setting.int({ min: 1, max: 9 }).default(3).describe('Tries'),
  MAKIMA_AGENT: setting.command().optional().describe('An agent'),
});
const url = 'postgres://u:topsecret@h/db';

describe('readConfig', () => {
  it('types what is set and fills in what is not; empty counts as not set', () => {
    const env = {
      DATABASE_URL: url,
      MAKIMA_PORT: '0',
      MAKIMA_OPEN: 'yes',
      MAKIMA_HOSTS: ' a, b,',
      MAKIMA_LEVEL: '',
    };
    expect(readConfig(schema, env)).toEqual({
      DATABASE_URL: url,
      MAKIMA_PORT: 0,
      MAKIMA_OPEN: true,
      MAKIMA_HOSTS: ['a', 'b'],
      MAKIMA_LEVEL: 'info',
      MAKIMA_TRIES: 3,
    });
  });

  it('names every bad variable with its meaning in one error and echoes no value', () => {
    const env = {
      MAKIMA_PORT: 'x7',
      MAKIMA_TRIES: '10',
      MAKIMA_OPEN: 'perhaps',
      MAKIMA_LEVEL: 'loud',
    };
    const error = thrown(() => readConfig(schema, env));
    expect(error.problems.map((p) => p.name)).toEqual([
      'MAKIMA_PORT',
      'DATABASE_URL',
      'MAKIMA_OPEN',
      'MAKIMA_LEVEL',
      'MAKIMA_TRIES',
    ]);
    expect(error.message).toContain(
      'DATABASE_URL: is not set, nor is DATABASE_URL_FILE (Where Postgres is)',
    );
    expect(error.message).not.toMatch(/x7|perhaps|loud/);
    const wrongUrl = thrown(() => readConfig(schema, { DATABASE_URL: 'mysql://u:topsecret@h/db' }));
    expect(wrongUrl.message).toContain('postgres:// or postgresql://');
    expect(wrongUrl.message).not.toContain('topsecret');
  });
});

describe('a secret', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'makima-config-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const kept = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };

  it('may stand in a file, which other settings may not', () => {
    const DATABASE_URL_FILE = kept('url', `${url}\n`);
    const env = { DATABASE_URL_FILE, MAKIMA_RACE_FILE: DATABASE_URL_FILE };
    expect(readConfig(schema, env)).toMatchObject({ DATABASE_URL: url });
    expect(readConfig(schema, env).MAKIMA_RACE).toBeUndefined();
    expect(readConfig(schema, { ...env, DATABASE_URL: ' ' }).DATABASE_URL).toBe(url);
  });

  it('is refused when it is given twice, cannot be read, or does not fit, and is not echoed', () => {
    const file = kept('mysql', 'mysql://u:topsecret@h/db');
    const refusals: [Record<string, string>, string][] = [
      [
        { DATABASE_URL: url, DATABASE_URL_FILE: file },
        'DATABASE_URL: is set, and so is DATABASE_URL_FILE: take one away',
      ],
      [{ DATABASE_URL_FILE: join(dir, 'none') }, 'DATABASE_URL_FILE does not open: ENOENT'],
      [{ DATABASE_URL_FILE: dir }, 'DATABASE_URL_FILE does not open: EISDIR'],
      [{ DATABASE_URL_FILE: kept('empty', '\n') }, 'the file of DATABASE_URL_FILE is empty'],
      [{ DATABASE_URL_FILE: file }, 'must be a URL that starts with postgres://'],
    ];
    for (const [env, words] of refusals) {
      const error = thrown(() => readConfig(schema, { ...env, MAKIMA_TRIES: '10' }));
      expect(error.problems.map(({ name }) => name).toSorted()).toEqual([
        'DATABASE_URL',
        'MAKIMA_TRIES',
      ]);
      expect(error.message).toContain(words);
      expect(error.message).not.toContain('topsecret');
    }
  });
});

describe('a command', () => {
  it('is a JSON list of words, and nothing that a shell would take apart', () => {
    const env = { DATABASE_URL: url, MAKIMA_AGENT: '["agent", "--acp", "a b; c"]' };
    expect(readConfig(schema, env).MAKIMA_AGENT).toEqual(['agent', '--acp', 'a b; c']);
    for (const wrong of ['agent --acp', '[]', '["agent", 1]', '{"a":1}', '["agent"']) {
      const error = thrown(() => readConfig(schema, { ...env, MAKIMA_AGENT: wrong }));
      expect(error.message).toContain('MAKIMA_AGENT: must be a JSON list of words');
    }
  });
});

describe('describeConfig', () => {
  it('is what .env.example is made from', () => {
    expect(describeConfig(schema)).toEqual([
      field('MAKIMA_PORT', 'Port of the API', { defaultValue: '7400' }),
      field('DATABASE_URL', 'Where Postgres is', { required: true, secret: true }),
      field('MAKIMA_OPEN', 'Let everybody in', { defaultValue: 'false' }),
      field('MAKIMA_HOSTS', 'Allowed hosts', { defaultValue: 'localhost' }),
      field('MAKIMA_LEVEL', 'How much is logged', { defaultValue: 'info' }),
      field('MAKIMA_RACE', 'Racepoints of chaos tests', {}),
      field('MAKIMA_TRIES', 'Tries', { defaultValue: '3' }),
      field('MAKIMA_AGENT', 'An agent', {}),
    ]);
  });

  it('writes a default that is no text as it would be written in the environment', () => {
    const limits = z.string().transform((): Record<string, number> => ({}));
    const schema = z.object({
      NONE: limits.default({}).describe('Limits'),
      SOME: limits.default({ a: 1, b: 2 }).describe('Limits'),
    });
    expect(describeConfig(schema).map((f) => f.defaultValue)).toEqual(['', 'a=1,b=2']);
  });

  it('refuses a setting without a meaning', () => {
    expect(() => describeConfig(z.object({ X: z.string() }))).toThrow('setting X has no meaning');
  });
});

function field(name: string, meaning: string, rest: object) {
  return { name, meaning, required: false, defaultValue: undefined, secret: false, ...rest };
}

function thrown(fn: () => unknown): ConfigError {
  try {
    fn();
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('no ConfigError was thrown');
}
