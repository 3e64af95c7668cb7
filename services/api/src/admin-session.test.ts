/** A cookie is the key of an hour, and of nothing else. */
import { describe, expect, it } from 'vitest';
import {
  adminCookieHeader,
  adminCookieOf,
  adminSessionMs,
  sealSession,
  unsealSession,
} from './admin-session.ts';
import { deriveSealingKey, seal } from './seal.ts';

const key = deriveSealingKey('postgres://makima:secret@127.0.0.1/makima');

describe('an admin session', () => {
  it('opens again in time, in any process that shares the store, and not after', () => {
    const cookie = sealSession(key, 'mk_user_x', 1_000);
    expect(cookie).not.toContain('mk_user');
    expect(
      unsealSession(deriveSealingKey('postgres://makima:secret@127.0.0.1/makima'), cookie, 2_000),
    ).toBe('mk_user_x');
    expect(unsealSession(key, cookie, 1_000 + adminSessionMs)).toBeUndefined();
    expect(unsealSession(deriveSealingKey('postgres://elsewhere'), cookie, 2_000)).toBeUndefined();
  });

  it('is nothing when it was changed in one place, or sealed for something else', () => {
    const cookie = sealSession(key, 'mk_user_x', 1_000);
    for (let i = 0; i < cookie.length; i += 7) {
      const other = cookie[i] === 'A' ? 'B' : 'A';
      const forged = cookie.slice(0, i) + other + cookie.slice(i + 1);
      if (Buffer.from(forged, 'base64url').equals(Buffer.from(cookie, 'base64url'))) continue;
      expect(unsealSession(key, forged, 2_000)).toBeUndefined();
    }
    const ticket = seal(key, 'monitor ticket', { token: 'mk_user_x', until: 9_000 });
    expect(unsealSession(key, ticket, 2_000)).toBeUndefined();
    for (const junk of ['', 'x', 'A'.repeat(10_000)])
      expect(unsealSession(key, junk, 0)).toBeUndefined();
  });

  it('is sent below /admin only and never to a script', () => {
    expect(adminCookieHeader('v', 'http')).toBe(
      'makima_admin=v; Path=/admin; Max-Age=3600; HttpOnly; SameSite=Strict',
    );
    expect(adminCookieHeader('', 'https')).toContain('Max-Age=0');
    expect(adminCookieHeader('v', 'https')).toContain('; Secure');
    expect(adminCookieOf('a=1; makima_admin=v; b=2')).toBe('v');
    expect(adminCookieOf('makima_admin=v; makima_admin=w')).toBeUndefined();
    expect(adminCookieOf(undefined)).toBeUndefined();
  });
});
