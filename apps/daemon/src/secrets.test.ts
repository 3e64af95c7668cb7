/** Known secrets are taken out of everything that leaves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecrets } from './secrets.ts';

describe('known secrets', () => {
  it('leave in no plain, hex, URL or base64 form, whatever stands around', () => {
    const value = 'mk_tool_0123/+=abcdefXYZ';
    const secrets = createSecrets();
    secrets.add('tool-key', value);
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const around = `${before}${value}${after}`;
        expect(secrets.redact(around)).not.toContain(value);
        const encoded = Buffer.from(around).toString('base64');
        const left = Buffer.from(secrets.redact(encoded).replaceAll(/\[[^\]]*\]/g, ''), 'base64');
        expect(left.toString('latin1')).not.toContain(value.slice(2, -2));
      }),
    );
    expect(secrets.redact(encodeURIComponent(value))).toBe('[redacted:tool-key]');
    expect(secrets.redact(Buffer.from(value).toString('hex'))).toBe('[redacted:tool-key]');
  });

  it('are forgotten with their run, and short ones never taken', () => {
    const secrets = createSecrets();
    const forget = secrets.add('run-token', 'a-token-of-some-length');
    secrets.add('daemon-key', 'short');
    forget();
    expect(secrets.redact('a-token-of-some-length short')).toBe('a-token-of-some-length short');
  });

  it('leave JSON whole', () => {
    const secrets = createSecrets();
    secrets.add('tool-key', 'mk_tool_secret_value');
    const json = JSON.stringify({ a: 'x mk_tool_secret_value y' });
    expect(JSON.parse(secrets.redact(json))).toEqual({ a: 'x [redacted:tool-key] y' });
  });
});
