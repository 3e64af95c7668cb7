/** Names of branches, refs and repositories: what is refused, and why. */
import { describe, expect, it } from 'vitest';
import {
  assertBranch,
  assertNewBranch,
  assertRef,
  assertSha,
  checkpointRef,
  contractBranch,
  keptRef,
  operationRef,
  taskBranch,
  taskRef,
} from './names.ts';
import { checkSourceHost, isPrivateAddress, parseSource } from './source.ts';

const tricks = [
  '-x',
  '--output=/tmp/x',
  'a..b',
  '@{-1}',
  'a@{1}',
  '@',
  'HEAD',
  'refs/heads/-x',
  'a b',
  'a\nb',
  'a\0b',
  ';rm',
  'a;rm',
  '$(x)',
  '`x`',
  'a'.repeat(300),
  '',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'a.',
  'a/-b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
  'ü',
];

describe('names', () => {
  it('refuses every trick, and never echoes it', () => {
    for (const name of tricks) {
      // Letters of any script are fine in what a repository already has.
      for (const check of name === 'ü' ? [assertNewBranch] : [assertNewBranch, assertBranch]) {
        const call = (): string => check(name);
        expect(call, name).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
      }
      if (name === 'HEAD' || name === 'ü') continue;
      const ref = name.startsWith('refs/') ? name : `refs/heads/${name}`;
      expect(() => assertRef(ref), ref).toThrow();
    }
    for (const ref of ['heads/x', 'refs/x', 'refs/', 'main'])
      expect(() => assertRef(ref)).toThrow();
    for (const sha of ['', 'abc', 'A'.repeat(40), `-${'a'.repeat(39)}`, `${'a'.repeat(40)}\n`]) {
      expect(() => assertSha(sha)).toThrow();
    }
  });

  it('accepts what people really use, and is narrower for what makima makes', () => {
    for (const name of ['main', 'Feature/JIRA-1', 'fix/#12', 'user@host', 'v1.2', '_x', 'a+b']) {
      expect(assertBranch(name)).toBe(name);
    }
    expect(assertNewBranch('makima/fix-it/x_1.2')).toBe('makima/fix-it/x_1.2');
    for (const name of ['Main', 'a'.repeat(40), 'x@y'])
      expect(() => assertNewBranch(name)).toThrow();
    expect(assertRef('refs/heads/Feature/JIRA-1')).toBe('refs/heads/Feature/JIRA-1');
    expect(assertSha('0123456789'.repeat(4))).toHaveLength(40);
  });

  it('builds the names of the plan from safe parts only', () => {
    expect(contractBranch('fix-it')).toBe('makima/fix-it');
    expect(taskBranch('fix-it', 'abc', 2)).toBe('makima/fix-it/abc-a2');
    expect(taskRef('abc', 2)).toBe('refs/makima/tasks/abc-a2');
    expect(checkpointRef('abc', 3)).toBe('refs/makima/checkpoints/abc/3');
    expect(keptRef('abc', 2)).toBe('refs/makima/kept/abc-a2');
    expect(keptRef('abc', 2, 'late')).toBe('refs/makima/kept/abc-a2-late');
    expect(operationRef('op-1')).toBe('refs/makima/operations/op-1');
    for (const part of ['', '../x', 'a/b', '-x', 'A', 'a b', 'a'.repeat(65)]) {
      expect(() => taskRef(part, 1), part).toThrow();
      expect(() => contractBranch(part), part).toThrow();
      expect(() => keptRef('abc', 1, part), part).toThrow();
    }
    for (const number of [0, -1, 1.5, Number.NaN])
      expect(() => checkpointRef('abc', number)).toThrow();
  });
});

describe('source', () => {
  it('refuses other transports, options in disguise, credentials and ways out', () => {
    const secret = 'hunter2';
    const urls = [
      'ext::sh -c touch% /tmp/x',
      'EXT::sh -c x',
      'fd::17',
      'file:///etc',
      'http://example.com/x',
      'git://example.com/x',
      'ftp://example.com/x',
      '-uevil',
      '--upload-pack=touch x',
      'git@-oProxyCommand=x:y',
      'ssh://-oProxyCommand=x/y',
      'ssh://git@-oProxyCommand=x/y',
      'ssh://git:pw@example.com/y',
      `https://user:${secret}@example.com/x`,
      `https://${secret}@example.com/x`,
      'https://@example.com/x',
      'https://example.com/x\r\nHost: evil',
      'https://example.com/a b',
      'https://example.com/../x',
      'https://example.com/-x',
      'https://example.com/%0d%0ax',
      'https://example.com/x?y=z',
      'https://example.com/x#y',
      'https://example.com\\@evil.com/x',
      'https://example.com',
      'https:///x',
      'https://2130706433/x',
      'https://0x7f000001/x',
      'https://0x7f.1/x',
      'https://127.1/x',
      'https://017700000001/x',
      'https://example.com:99999/x',
      'ssh://2130706433/x',
      'git@host:-x',
      'relative/path',
      '',
      'x'.repeat(3_000),
    ];
    for (const url of urls) {
      let thrown: unknown;
      try {
        parseSource(url, { allowLocal: true });
      } catch (error) {
        thrown = error;
      }
      expect(thrown, url).toMatchObject({ code: 'VALIDATION_FAILED' });
      expect(JSON.stringify(thrown) + String(thrown)).not.toContain(secret);
    }
    expect(() => parseSource('/srv/x')).toThrow();
  });

  it('accepts https, ssh, the short ssh form and, where allowed, a path', () => {
    expect(parseSource('https://GitHub.com/a/b.git/')).toEqual({
      kind: 'https',
      url: 'https://github.com/a/b.git',
      host: 'github.com',
      port: 443,
    });
    expect(parseSource('ssh://git@example.com:2222/a/b')).toMatchObject({
      port: 2222,
      kind: 'ssh',
    });
    expect(parseSource('git@example.com:a/b.git')).toEqual({
      kind: 'ssh',
      url: 'git@example.com:a/b.git',
      host: 'example.com',
      port: 22,
    });
    expect(parseSource('https://[2606:4700::1]/x')).toMatchObject({ host: '2606:4700::1' });
    expect(parseSource('/srv/my repo/', { allowLocal: true })).toEqual({
      kind: 'local',
      path: '/srv/my repo',
    });
  });

  it('tells private addresses from public ones', () => {
    const hidden = [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '0.0.0.0',
    ];
    hidden.push('100.64.0.1', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fc00::1');
    hidden.push(
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'ff02::1',
      'x',
    );
    for (const address of hidden) expect(isPrivateAddress(address), address).toBe(true);
    for (const address of ['8.8.8.8', '140.82.112.3', '2606:4700::1']) {
      expect(isPrivateAddress(address), address).toBe(false);
    }
  });

  it('resolves once, pins the answer, and refuses when any answer is private', async () => {
    const source = parseSource('https://example.com/x');
    const answers = (...found: string[]) => ({ lookup: () => Promise.resolve(found) });
    expect(await checkSourceHost(source, answers('140.82.112.3'))).toBe('140.82.112.3');
    const refused = { details: { reason: 'host_refused' } };
    for (const found of [['127.0.0.1'], ['140.82.112.3', '10.0.0.1'], ['::1']]) {
      await expect(checkSourceHost(source, answers(...found))).rejects.toMatchObject(refused);
    }
    const literal = parseSource('https://169.254.169.254/latest');
    await expect(checkSourceHost(literal)).rejects.toMatchObject(refused);
    await expect(checkSourceHost(parseSource('https://[::1]/x'))).rejects.toMatchObject(refused);
    await expect(checkSourceHost(parseSource('ssh://localhost/x'))).rejects.toMatchObject(refused);
    const failing = { lookup: () => Promise.reject(new Error('ENOTFOUND')) };
    await expect(checkSourceHost(source, failing)).rejects.toMatchObject({
      details: { reason: 'source_unreachable' },
    });
    const own = { allowHosts: ['Example.com'], ...answers('10.0.0.1') };
    expect(await checkSourceHost(source, own)).toBeNull();
    expect(await checkSourceHost({ kind: 'local', path: '/x' })).toBeNull();
  });
});
