/**
 * Tokens: `mk_<kind>_<id as 32 hex>_<32 characters><6 of checksum>`. The checksum finds typing errors and
 * serves secret scanners; only the sha256 of the whole is stored.
 *
 * Law: a token is compared in constant time and never logged, stored or put into a row, event or job.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type TokenKind = 'user' | 'daemon' | 'tool' | 'join';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const pattern = /^mk_(user|daemon|tool|join)_([0-9a-f]{32})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

export interface MintedToken {
  readonly id: string;
  readonly token: string;
  readonly hash: string;
}

/** @param id a UUID that the row will have. */
export function mintToken(kind: TokenKind, id: string): MintedToken {
  const body = `mk_${kind}_${id.replaceAll('-', '')}_${randomText(32)}`;
  const token = `${body}${checksum(body)}`;
  return { id, token, hash: hashToken(token) };
}

/** The id within a well-formed token; undefined for anything else. */
export function readToken(token: string): { kind: TokenKind; id: string } | undefined {
  const match = pattern.exec(token);
  if (match === null) return undefined;
  const [, kind, hex = '', secret = '', sum = ''] = match;
  if (checksum(`mk_${kind}_${hex}_${secret}`) !== sum) return undefined;
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { kind: kind as TokenKind, id };
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Characters drawn evenly: bytes that would favour the first ones are thrown away. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62];
    }
  }
  return text;
}

function checksum(body: string): string {
  const digest = createHash('sha256').update(`makima token ${body}`).digest();
  let text = '';
  for (let i = 0; i < 6; i++) text += alphabet[(digest[i] ?? 0) % 62];
  return text;
}
