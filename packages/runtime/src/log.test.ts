/** No credential reaches a log line, wherever it hides (S53). */
import { describe, expect, it } from 'vitest';
import { testLog } from './test-log.ts';

const token = 'mk_tool_0123456789abcdef0123456789abcdef_canaryCANARYcanaryCANARYcanary1AbCdEf';

describe('redaction', () => {
  it('takes a key out of messages, errors, causes, stacks, nested values and child fields', () => {
    const log = testLog();
    const cause = Object.assign(new Error(`inner ${token}`), { note: [`x ${token}`] });
    const error = new Error(`outer ${token}`, { cause });
    log.info(`message ${token}`);
    log.error({ err: error }, `with ${token}`);
    log.error(error as never);
    log.child({ requestId: 'r1', where: `/x?k=${token}` }).warn({ a: { b: [[token]] } }, 'nested');
    expect(JSON.stringify(log.lines)).not.toContain('canary');
    expect(log.lines[3]).toMatchObject({ requestId: 'r1', a: { b: [['mk_tool_[redacted]']] } });
  });

  it('hides strings under telling names and leaves counts and ids alone', () => {
    const log = testLog();
    const headers = {
      Authorization: 'abc',
      'set-cookie': ['abc'],
      'X-Api-Key': 'abc',
      accept: 'ok',
    };
    const error = Object.assign(new Error('no'), { request: { headers } });
    log.info({ err: error, password: 'abc', toolKey: 'abc', refresh_token: 'abc' }, 'hidden');
    log.info({ inputTokens: 12, token: 3, keyId: 'k1', keyed: true, monkey: 'see' }, 'shown');
    expect(JSON.stringify(log.lines[0])).not.toContain('abc');
    expect(log.lines[1]).toMatchObject({ inputTokens: 12, token: 3, keyId: 'k1', monkey: 'see' });
  });

  it.each([
    ['redis://user:hunter2@host/0', 'redis://user:[redacted]@host/0'],
    ['Authorization: Bearer abcdefgh12345', 'Authorization: Bearer [redacted]'],
    ['sk-ant-abcdefghijklmnopqrst', '[redacted:api-key]'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_[redacted]'],
    ['ghp_abcdefghijklmnopqrstuvwx', '[redacted:github]'],
    ['a -----BEGIN RSA PRIVATE KEY-----\nabc', 'a [redacted:private-key]'],
  ])('knows the shape of %s', (text, expected) => {
    const log = testLog();
    log.info({ text }, text);
    expect(log.lines[0]).toMatchObject({ text: expected, message: expected });
  });
});

describe('any value can be logged', () => {
  it('survives cycles, depth, size, getters that throw, and odd types', () => {
    const log = testLog();
    const cycle: Record<string, unknown> = { name: 'loop' };
    cycle['self'] = cycle;
    const deep = Array.from({ length: 50 }).reduce<object>((inner) => ({ inner }), {});
    const broken = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const odd = { big: 1n, map: new Map([['a', 1]]), bytes: new Uint8Array(3), fn: () => 1 };
    log.info(
      { cycle, deep, broken, odd, long: 'x'.repeat(100_000), many: Array(500).fill(0) },
      'odd',
    );
    const [line] = log.lines;
    expect(line).toMatchObject({
      cycle: { self: '[circular]' },
      broken: { x: '[unreadable]' },
      odd: { big: '1', map: { a: 1 }, bytes: '[3 bytes]' },
    });
    expect(JSON.stringify(line).length).toBeLessThan(25_000);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
