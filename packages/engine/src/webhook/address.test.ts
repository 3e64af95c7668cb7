/** Which addresses makima may speak to by itself. */
import { describe, expect, it } from 'vitest';
import { refusal } from '../test-engine.ts';
import { checkedUrl, isLoopbackAddress, isPublicAddress, objectionTo } from './address.ts';

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '100::1',
    'example.com',
    '',
    '1.2.3',
  ])('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '193.0.0.1',
    '2606:4700::1111',
    '2a00::1',
  ])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

  it('is of this machine when it is loopback', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1'].every(isLoopbackAddress)).toBe(true);
    expect(['10.0.0.1', '::2', 'localhost'].some(isLoopbackAddress)).toBe(false);
  });
});

describe('a URL', () => {
  const says = (text: string, allowed: string[] = []) => objectionTo(new URL(text), allowed);

  it('is https to a public host', () => {
    expect(says('https://hooks.example.com/x?y=1')).toBeUndefined();
    expect(says('https://hooks.example.com:8443/')).toBeUndefined();
    expect(says('https://[2606:4700::1111]/')).toBeUndefined();
  });

  it.each([
    ['http://hooks.example.com/', 'must be https'],
    ['ftp://hooks.example.com/', 'must be https'],
    ['https://user:pass@hooks.example.com/', 'user or password'],
    ['https://hooks.example.com/#x', 'fragment'],
    ['https://localhost/', 'not a public address'],
    ['https://api.localhost/', 'not a public address'],
    ['https://127.0.0.1/', 'not a public address'],
    ['https://0x7f000001/', 'not a public address'],
    ['https://2130706433/', 'not a public address'],
    ['https://017700000001/', 'not a public address'],
    ['https://[::1]/', 'not a public address'],
    ['https://[::ffff:10.0.0.1]/', 'not a public address'],
    ['https://169.254.169.254/latest', 'not a public address'],
    ['http://127.0.0.1/', 'must be https'],
  ])('%s is refused: %s', (text, why) => expect(says(text)).toContain(why));

  it('may be of a host that the installation names, and of http only on this machine', () => {
    expect(says('https://10.0.0.5/', ['10.0.0.5'])).toBeUndefined();
    expect(says('https://10.0.0.5:8443/', ['10.0.0.5:8443'])).toBeUndefined();
    expect(says('https://10.0.0.5/', ['10.0.0.5:8443'])).toContain('not a public address');
    expect(says('http://127.0.0.1:9000/', ['127.0.0.1:9000'])).toBeUndefined();
    expect(says('http://localhost/', ['LOCALHOST'])).toBeUndefined();
    expect(says('http://[::1]:80/', ['[::1]:80'])).toBeUndefined();
    expect(says('http://10.0.0.5/', ['10.0.0.5'])).toContain('must be https');
    expect(says('https://user@10.0.0.5/', ['10.0.0.5'])).toContain('user or password');
  });

  it('that is none is refused with what is wrong', async () => {
    const check = async (text: string) => checkedUrl(text, []);
    expect(await refusal(check('nonsense'))).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ pointer: '/url', detail: 'it is not a URL' }] },
    });
    expect((await check('https://hooks.example.com/')).host).toBe('hooks.example.com');
  });
});
