/** A name that is not ours, and a page that is not ours, are refused; ours in all their forms are not. */
import { describe, expect, it } from 'vitest';
import { createHostGuard, isLoopbackHost } from './guard-host.ts';

const guard = createHostGuard({
  publicUrl: 'https://makima.example.com',
  allowedHosts: ['api:7400', 'box.lan'],
});

describe('Host', () => {
  it.each([
    'localhost',
    'LOCALHOST:7400',
    '127.0.0.1:1',
    '[::1]:7400',
    'makima.example.com',
    'makima.example.com:443',
    'api:7400',
    'box.lan',
    'box.lan:9',
  ])('%s is ours', (host) => expect(guard.allowsHost(host)).toBe(true));

  it.each([
    undefined,
    '',
    'attacker.poc',
    'localhost.attacker.poc',
    'api',
    'api:7401',
    'box.lan.',
    '127.0.0.1.attacker.poc',
    '127.0.0.2',
    '0.0.0.0:7400',
    'localhost:7400/x',
    'user@localhost',
    'localhost:abc',
    '[::2]:1',
  ])('%s is not', (host) => expect(guard.allowsHost(host)).toBe(false));
});

describe('Origin', () => {
  it.each([
    ['http://localhost:7400', 'localhost:7400'],
    ['https://makima.example.com', 'makima.example.com'],
    ['http://[::1]:7400', '[::1]:7400'],
  ])('%s may call %s', (origin, host) => expect(guard.allowsOrigin(origin, host)).toBe(true));

  it.each([
    ['null', 'localhost:7400'],
    ['https://evil.tld', 'localhost:7400'],
    ['http://localhost.evil.tld', 'localhost:7400'],
    ['http://localhost:9999', 'localhost:7400'],
    ['http://localhost:7400/path', 'localhost:7400'],
    ['http://user@localhost:7400', 'localhost:7400'],
    ['file://', 'localhost:7400'],
    ['http://evil.tld', 'evil.tld'],
  ])('%s may not call %s', (origin, host) => expect(guard.allowsOrigin(origin, host)).toBe(false));
});

it('knows names that only this machine can mean', () => {
  expect(isLoopbackHost('127.0.0.1:7400')).toBe(true);
  expect(isLoopbackHost('makima.example.com')).toBe(false);
});
