/**
 * Signatures as Standard Webhooks asks: HMAC-SHA256 over `id.timestamp.body`, with the bytes behind
 * `whsec_`; one for each secret that is good now.
 *
 * Law: what is signed is what is sent, byte for byte.
 */
import { createHmac } from 'node:crypto';

export interface Signed {
  readonly messageId: string;
  readonly at: Date;
  readonly body: string;
}

export function signedHeaders(
  { messageId, at, body }: Signed,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const digest = createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`);
    return `v1,${digest.digest('base64')}`;
  });
  return {
    'webhook-id': messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
