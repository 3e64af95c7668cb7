// What a person sees of a log.
import { expect, it } from 'vitest';
import { clockTime } from '@makima/cli/time';
import { readableLine } from './readable-line.ts';

const time = '2026-01-02T03:04:05.678Z';
const line = (facts: object): string =>
  readableLine(JSON.stringify({ level: 'warn', time, service: 'api', pid: 7, ...facts }));

it('tells when, how grave, what, and the facts', () => {
  expect(line({ message: 'request', method: 'GET', status: 200, path: '/a b' })).toBe(
    `${clockTime(time)} warn  request  method=GET status=200 path="/a b"`,
  );
  expect(line({ message: 'started' })).toBe(`${clockTime(time)} warn  started`);
  expect(line({ message: 'failed', err: { code: 1 } })).toContain('  err={"code":1}');
});

it('is one line without control characters, whatever was logged', () => {
  expect(line({ message: 'a\nb\u001b[2J', name: '\u001b]0;x\u0007\n' })).toBe(
    `${clockTime(time)} warn  a b  name="\\u001b]0;x\\u0007\\n"`,
  );
});

it('leaves alone what is no line of a service', () => {
  for (const other of ['LOG:  ready', '{', '{"a":1}', '{"level":1,"time":"x","message":"y"}', '']) {
    expect(readableLine(other)).toBe(other);
  }
});
