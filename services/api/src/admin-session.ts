/**
 * A person's way into `/admin` with a browser: an owner's key is traded for a cookie that lives for an
 * hour, is valid below `/admin` only, and holds the key sealed.
 *
 * Why sealed: no table and no memory to share between processes, and a cookie that was stolen opens no
 * other door. The key inside is looked up on every request, so a revoked one ends the session.
 * Law: HttpOnly, SameSite=Strict; a cookie whose seal or time is wrong is no cookie.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export const adminCookie = 'makima_admin';
export const adminSessionMs = 60 * 60_000;

/** A key for sealing that every API process of an installation derives alike from what they share. */
export function deriveSealingKey(shared: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, 'makima', 'admin session', 32));
}

/** The value of a new cookie. */
export function sealSession(sealingKey: Uint8Array, token: string, nowMs: number): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey, iv);
  const plain = JSON.stringify({ token, until: nowMs + adminSessionMs });
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The token of a cookie that is whole and in time. */
export function unsealSession(
  sealingKey: Uint8Array,
  value: string,
  nowMs: number,
): string | undefined {
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.length < 29 || bytes.length > 2_000 || bytes.toString('base64url') !== value)
    return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealingKey, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString(
      'utf8',
    );
    const { token, until } = JSON.parse(plain) as { token: string; until: number };
    return until > nowMs ? token : undefined;
  } catch {
    return undefined;
  }
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
