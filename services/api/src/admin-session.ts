/**
 * A person's way into `/admin` with a browser: an owner's key is traded for a cookie that lives for an
 * hour, is valid below `/admin` only, and holds the key sealed.
 *
 * Why sealed: see `seal.ts`. The key inside is looked up on every request, so a revoked one ends the session.
 * Law: HttpOnly, SameSite=Strict; a cookie whose seal or time is wrong is no cookie.
 */
import { seal, unseal } from './seal.ts';

export const adminCookie = 'makima_admin';
export const adminSessionMs = 60 * 60_000;

/** The value of a new cookie. */
export function sealSession(sealingKey: Uint8Array, token: string, nowMs: number): string {
  return seal(sealingKey, 'admin session', { token, until: nowMs + adminSessionMs });
}

/** The token of a cookie that is whole and in time. */
export function unsealSession(
  sealingKey: Uint8Array,
  value: string,
  nowMs: number,
): string | undefined {
  const session = unseal(sealingKey, 'admin session', value) as
    | { token: string; until: number }
    | undefined;
  return session !== undefined && session.until > nowMs ? session.token : undefined;
}

/** The `Set-Cookie` header; an empty value ends the session. */
export function adminCookieHeader(value: string, scheme: 'http' | 'https'): string {
  const maxAge = value === '' ? 0 : adminSessionMs / 1_000;
  const secure = scheme === 'https' ? '; Secure' : '';
  return `${adminCookie}=${value}; Path=/admin; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** The cookie's value in a `Cookie` header, if it is there exactly once. */
export function adminCookieOf(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${adminCookie}=`));
  return values.length === 1 ? values[0]?.slice(adminCookie.length + 1) : undefined;
}
