/** What of the daemon's environment an agent gets to see. */
import { describe, expect, it } from 'vitest';
import { allowedEnvironment, checkedExtras, runEnvironment } from './environment.ts';
import { startFailureReason } from './start-failure.ts';

describe('the environment of an agent', () => {
  it('is an allow list: what nobody named stays here', () => {
    const own = {
      PATH: '/bin',
      HOME: '/home/x',
      LC_ALL: 'C.UTF-8',
      ANTHROPIC_API_KEY: 'k',
      DATABASE_URL: 'd',
      PGPASSWORD: 'p',
      MAKIMA_SECRET: 's',
      MAKIMA_TOKEN: 't',
      SSH_AUTH_SOCK: '/a',
      GITHUB_TOKEN: 'g',
      NODE_OPTIONS: '--x',
      CLAUDECODE: '1',
      EMPTY: undefined,
    };
    expect(allowedEnvironment(own, [])).toEqual({
      PATH: '/bin',
      HOME: '/home/x',
      LC_ALL: 'C.UTF-8',
    });
    expect(allowedEnvironment(own, [/^ANTHROPIC_/])).toMatchObject({ ANTHROPIC_API_KEY: 'k' });
    expect(allowedEnvironment(own, [/./])).not.toHaveProperty('DATABASE_URL');
  });

  it('takes extras, but none that could carry a secret of the daemon', () => {
    expect(checkedExtras({ MAKIMA_LEDGER: '/l', FOO: 'bar' })).toEqual({
      MAKIMA_LEDGER: '/l',
      FOO: 'bar',
    });
    for (const name of [
      'MAKIMA_OWNER_KEY',
      'REDIS_URL',
      'PGPASSWORD',
      'LD_PRELOAD',
      '1A',
      'A=B',
      '',
    ]) {
      expect(() => checkedExtras({ [name]: 'x' })).toThrow(/environment/);
    }
    try {
      checkedExtras({ OK: 'a\0b' });
    } catch (error) {
      expect(startFailureReason(error)).toBe('bad_spec');
    }
  });

  it('names the run', () => {
    const run = { runId: 'r', taskId: 't' };
    expect(runEnvironment(run)).toEqual({ MAKIMA_RUN_ID: 'r', MAKIMA_TASK_ID: 't' });
    expect(runEnvironment({ ...run, tools: { url: 'u', token: 'k' } })).toMatchObject({
      MAKIMA_URL: 'u',
      MAKIMA_TOKEN: 'k',
    });
  });
});
