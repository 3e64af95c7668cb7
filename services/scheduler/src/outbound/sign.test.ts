/** Signatures hold before the official library, with one secret and with two. */
import { describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { mintSecret } from '@makima/engine/webhook/secret';
import { signedHeaders } from './sign.ts';

const message = () => ({
  messageId: 'msg_0199c0a1',
  at: new Date(),
  body: '{"type":"contract.failed","data":{"why":"größer — 🙂"}}',
});

describe('a signature', () => {
  it('is the one that Standard Webhooks expects', () => {
    const secret = mintSecret();
    const signed = message();
    const headers = signedHeaders(signed, [secret]);
    expect(new Webhook(secret).verify(signed.body, headers)).toEqual(JSON.parse(signed.body));
    expect(headers['webhook-signature']).toBe(
      new Webhook(secret).sign(signed.messageId, signed.at, signed.body),
    );
  });

  it('of two secrets holds for whoever knows one of them, and for nobody else', () => {
    const [now, before, other] = [mintSecret(), mintSecret(), mintSecret()];
    const signed = message();
    const headers = signedHeaders(signed, [now, before]);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [now, before]) new Webhook(secret).verify(signed.body, headers);
    expect(() => new Webhook(other).verify(signed.body, headers)).toThrow(/No matching signature/);
    expect(() => new Webhook(now).verify(`${signed.body} `, headers)).toThrow();
  });
});
