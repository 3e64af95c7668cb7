/** The token's file: what is refused, and that its value is known to the redaction. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSecrets } from '../secrets.ts';
import { accessTo, readToken } from './token.ts';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'makima-token-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

it('is read anew, and redacted from then on', async () => {
  const secrets = createSecrets();
  const file = join(dir, 'token');
  for (const value of ['ghp_first_token_value', 'ghp_second_token_value']) {
    await writeFile(file, `${value}\n`, { mode: 0o600 });
    expect(await readToken(file, secrets)).toBe(value);
    expect(secrets.redact(`it is ${value}`)).toBe('it is [redacted:forge-token]');
  }
});

it('is refused when it is missing, open to others, too large, or no token', async () => {
  const secrets = createSecrets();
  const file = join(dir, 'token');
  const reasonOf = (): Promise<unknown> =>
    readToken(file, secrets).then(
      () => null,
      (error: { code: string; details: { reason: string } }) => [error.code, error.details.reason],
    );
  expect(await reasonOf()).toEqual(['COMMAND_FAILED', 'token_missing']);
  for (const value of [
    '',
    'short',
    'elevenchars',
    'two words here',
    `line\nbreak_in_it`,
    'x'.repeat(5_000),
  ]) {
    await writeFile(file, value, { mode: 0o600 });
    expect(await reasonOf(), value.slice(0, 20)).toEqual(['COMMAND_FAILED', 'token_unusable']);
  }
  await writeFile(file, 'ghp_valid_token_value', { mode: 0o600 });
  await chmod(file, 0o644);
  expect(await reasonOf()).toEqual(['COMMAND_FAILED', 'token_unusable']);
  await expect(readToken(dir, secrets)).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
});

it('opens repositories of the forge’s own host and of no other; one that cannot be used opens none', async () => {
  const secrets = createSecrets();
  const forge = { host: 'github.com', tokenFile: join(dir, 'token'), caFile: '/ca.pem' };
  const access = (host: string) => accessTo(host, forge, secrets);
  expect(await access('github.com')).toEqual({ token: null, caFile: '/ca.pem' });
  await writeFile(forge.tokenFile, 'ghp_valid_token_value', { mode: 0o600 });
  expect(await access('github.com')).toEqual({ token: 'ghp_valid_token_value', caFile: '/ca.pem' });
  expect(secrets.redact('ghp_valid_token_value')).not.toContain('valid');
  for (const host of ['gist.github.com', 'github.com.evil.example', 'evil.example'])
    expect(await access(host)).toBeNull();
  await chmod(forge.tokenFile, 0o644);
  expect(await access('github.com')).toEqual({ token: null, caFile: '/ca.pem' });
});
