/**
 * Small texts that a caller carries and only this installation reads: sealed with a key that its API processes
 * share, each for one purpose.
 *
 * Why sealed: no table and no memory to share between processes, and what was stolen opens no other door.
 * Law: what was sealed for one purpose is nothing for another; what was changed in one place is nothing.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export type SealPurpose = 'admin session' | 'monitor ticket';

/** A key for sealing that every API process of an installation derives alike from what they share. */
export function deriveSealingKey(shared: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, 'makima', 'seal', 32));
}

const ivBytes = 12;
const tagBytes = 16;
const sealedBytesMax = 2_000;

export function seal(sealingKey: Uint8Array, purpose: SealPurpose, plain: unknown): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', sealingKey, iv);
  cipher.setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(plain), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** What was sealed; undefined when it was not, not whole, or for something else. */
export function unseal(sealingKey: Uint8Array, purpose: SealPurpose, value: string): unknown {
  const bytes = Buffer.from(value, 'base64url');
  const textAt = ivBytes + tagBytes;
  if (bytes.length <= textAt || bytes.length > sealedBytesMax) return undefined;
  if (bytes.toString('base64url') !== value) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, bytes.subarray(0, ivBytes));
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(ivBytes, textAt));
  try {
    const parts = [decipher.update(bytes.subarray(textAt)), decipher.final()];
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}
