/**
 * Signing secrets as Standard Webhooks writes them: `whsec_` and the base64 of 32 random bytes.
 *
 * Law: shown once, when it is made; after that only whoever signs reads it.
 */
import { randomBytes } from 'node:crypto';

export function mintSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
