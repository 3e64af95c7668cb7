/** The program as a process: help, usage, exit codes, the anatomy of errors. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
  sampleDetail,
  sampleQuestion,
  sampleTask,
} from '@makima/client/testing/samples';
import { zProblem } from '@makima/contracts/problem';
import { problemMeanings } from '@makima/contracts/problem-meanings';
import { MakimaError, type ErrorCode } from '@makima/domain/error';
import { catalog, groups } from './catalog/all.ts';
import { inOwnWords } from './own-words.ts';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
  stage.url = undefined;
});
afterAll(() => stage.remove());

async function serve(...args: Parameters<typeof startDescribedServer>): Promise<DescribedServer> {
  server = await startDescribedServer(...args);
  stage.url = server.url;
  return server;
}

describe('help', () => {
  const paths = [...groups.map((group) => group.name), ...catalog.map((spec) => spec.path)];

  it.each(['', ...paths, 'help'])('of "makima %s" has an example and ends well', async (path) => {
    const words = path.split(' ').filter((word) => word !== '');
    const { code, stdout, stderr } = await stage.run([...words, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Examples?:\n {2}\$ .*makima /);
  });

  it('is the same by another word, and by none', async () => {
    const [by, of] = await Promise.all([
      stage.run(['help', 'contracts', 'list']),
      stage.run(['contracts', 'list', '--help']),
    ]);
    expect(by).toEqual(of);
    const [none, dashed] = await Promise.all([stage.run([]), stage.run(['--help'])]);
    expect(none).toEqual(dashed);
  });

  it('loads nothing but the description of the commands', async () => {
    const folder = join(stage.home, 'coverage');
    await stage.run(['--help'], { env: { NODE_V8_COVERAGE: folder } });
    const loaded = readdirSync(folder).flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url);
    });
    expect(loaded.some((url) => url.endsWith('/cli/src/program.ts'))).toBe(true);
    const heavy = /\/commands\/|\/zod\/|\/contracts\/src\/|\/client\/src\/|string-width/;
    expect(loaded.filter((url) => heavy.test(url))).toEqual([]);
  });

  it('lists the exit codes', async () => {
    const { stdout } = await stage.run(['help', 'exit-codes']);
    expect(stdout.match(/^ +\d+/gm)?.map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
  });
});

describe('wrong usage', () => {
  it.each([
    [['contarcts'], "unknown command 'contarcts'", 'did you mean contracts?'],
    [['contracts', 'lst'], "unknown command 'lst'", 'did you mean list?'],
    [['contracts', 'types'], "unknown command 'types'", 'did you mean makima types?'],
    [['contracts', 'type'], "unknown command 'type'", 'did you mean makima types?'],
    [['contract', 'tasks', 'x'], "unknown command 'tasks'", 'did you mean makima tasks?'],
    [['--url', 'http://x', 'keys', 'inbx'], "unknown command 'inbx'", 'did you mean makima inbox?'],
    [['revoke'], 'revoke', 'did you mean makima daemon revoke or makima keys revoke?'],
    [['spwn'], "unknown command 'spwn'", 'did you mean makima supervisor spawn?'],
    [['list'], "unknown command 'list'", '--help'],
    [['keys', 'spawn'], 'spawn', 'makima keys --help   or did you mean makima supervisor spawn?'],
    [['types', 'xyzzy'], "unknown command 'xyzzy'", 'makima types --help'],
    [['contracts', 'list', '--limt', '3'], "unknown option '--limt'", 'did you mean --limit?'],
    [['contracts', 'list', '-n', 'x'], 'whole number', 'makima contracts list --help'],
    [['contracts', 'show'], "missing required argument 'contract'", 'makima contracts show --help'],
    [['contracts', 'list', '-o', 'xml'], 'Allowed choices are table, json', '--help'],
    [['contracts', 'cancel', '', '--yes'], '<contract> is empty', 'makima contracts cancel'],
    [['daemon', 'revoke', '  ', '--yes'], '<daemon> is empty', 'makima daemon revoke --help'],
    [['answer', 'a-slug', ''], '<answer> is empty', 'makima answer --help'],
    [['up'], "unknown command 'up'", './makima up'],
    [['help', 'nonsense'], "no help on 'nonsense'", 'makima help'],
  ])('%j exits 2 and says what to do', async (args, message, fix) => {
    const { code, stdout, stderr } = await stage.run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`fix   ${fix.startsWith('-') ? 'makima' : fix}`);
  });

  it('takes nothing for the beginning of the only task there is', async () => {
    await serve({
      listContracts: () => ({ items: [sampleContract(1)], nextCursor: null }),
      listContractTasks: () => ({ items: [sampleTask(1)] }),
    });
    const { code, stderr } = await stage.run(['tasks', 'cancel', 'contract-1/', '--yes']);
    expect([code, server?.received.map((call) => call.id).at(-1)]).toEqual([
      2,
      'listContractTasks',
    ]);
    expect(stderr).toContain('the id or name is empty');
  });

  it('prints help to stderr for a group without a command', async () => {
    const { code, stdout, stderr } = await stage.run(['contracts']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('advance <contract>');
  });

  it.each([
    ['contracts', 'cancel', 'x'],
    ['tasks', 'cancel', 'x'],
    ['keys', 'revoke', 'x'],
  ])('%s %s asks for --yes where nobody can say it', async (...args) => {
    const { code, stderr } = await stage.run(args);
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
  });
});

describe('exit codes', () => {
  const refused: readonly (readonly [number, ErrorCode])[] = [
    [1, 'INTERNAL'],
    [2, 'VALIDATION_FAILED'],
    [3, 'WAIT_TIMED_OUT'],
    [4, 'UNAUTHENTICATED'],
    [4, 'FORBIDDEN'],
    [6, 'VERSION_CONFLICT'],
    [6, 'PHASE_GUARD_REQUIRED'],
    [7, 'CONTRACT_NOT_FOUND'],
    [9, 'DEPENDENCY_UNAVAILABLE'],
  ];

  it.each(refused)('%i for %s', async (exitCode, code) => {
    await serve({
      getContract: () => sampleDetail(1),
      listContracts: () => ({ items: [sampleContract(1)], nextCursor: null }),
      changePhase: () => {
        throw new MakimaError(code, 'it cannot be', { fix: 'do otherwise' });
      },
    });
    const ran = await stage.run(['contracts', 'advance', 'contract-1'], {
      env: { MAKIMA_TOKEN: 'some-key' },
    });
    expect(ran.code).toBe(exitCode);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^error: it cannot be\n {2}fix {3}/);
    expect(ran.stderr).toContain(`id    req-test - ${code}  (exit ${exitCode})`);
  });

  it('9 when the server is not there, with the address and the fix', async () => {
    const { url, close } = await serve({});
    await close();
    const { code, stderr } = await stage.run(['inbox']);
    expect(code).toBe(9);
    expect(stderr).toContain(`error: cannot reach ${url}: connection refused\n  fix   ./makima up`);
  });

  it('4 without a key, naming what to set', async () => {
    await serve({ inbox: () => ({ items: [] }) }, { key: 'secret' });
    const without = await stage.run(['inbox']);
    expect(without.code).toBe(4);
    expect(without.stderr).toContain(`no key for ${stage.url}`);
    expect(without.stderr).toContain('MAKIMA_TOKEN');
    const wrong = await stage.run(['inbox'], { env: { MAKIMA_TOKEN: 'other' } });
    expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('not valid')]);
    expect((await stage.run(['inbox'], { env: { MAKIMA_TOKEN: 'secret' } })).code).toBe(0);
  });

  it('2 for a phase that there is not, 6 for one that is not the next, which force does not mend', async () => {
    const missing = [{ kind: 'phase', id: 'phase', reason: 'The next phase is execute.' }];
    await serve({
      getContract: () => sampleDetail(1),
      changePhase: () => {
        throw new MakimaError('VALIDATION_FAILED', 'it cannot go there', { details: { missing } });
      },
    });
    for (const [phase, exit] of [
      ['review', 2],
      ['plan', 6],
    ] as const) {
      const words = ['contracts', 'advance', sampleDetail(1).id, '--phase', phase];
      const { code, stderr } = await stage.run(words);
      expect(code).toBe(exit);
      expect(stderr).toContain('leave out --phase: execute comes after plan');
      expect(stderr).not.toContain('--force');
    }
  });

  it('6 for a question that was answered, saying by whom', async () => {
    await serve({
      listQuestions: ({ query }) => ({
        items: query.status === 'answered' ? [sampleQuestion(1)] : [],
        nextCursor: null,
      }),
      answerQuestion: () => {
        throw new MakimaError('QUESTION_ANSWERED', 'it was answered before', {
          details: { answeredBy: 'kobi', response: 'GitHub' },
        });
      },
    });
    const { code, stderr } = await stage.run(['answer', 'contract-1', '1']);
    expect(code).toBe(6);
    expect(stderr).toContain('  why   answered by: kobi\n        response: GitHub\n');
  });

  it('6 for a phase that owes something, with what it owes', async () => {
    await serve({
      getContract: () => sampleDetail(1),
      listContracts: () => ({ items: [sampleContract(1)], nextCursor: null }),
      changePhase: () => {
        throw new MakimaError('VALIDATION_FAILED', 'the phase cannot be left', {
          details: { missing: [{ kind: 'deliverable', id: 'plan-document', reason: 'not done' }] },
        });
      },
    });
    const { code, stderr } = await stage.run(['contracts', 'advance', 'contract-1']);
    expect(code).toBe(6);
    expect(stderr).toContain('why   plan-document: not done');
    expect(stderr).toContain('makima why contract-1');
  });
});

describe('what a server advises', () => {
  it.each([
    ['send it as the header `Authorization: Bearer <key>`', 'set MAKIMA_TOKEN to a key that works'],
    ['use a key with that scope: POST /api/v1/keys', 'makima keys create'],
    [
      'add one: POST /api/v1/contracts/7/repositories, or',
      'makima contracts create "<goal>" --repo',
    ],
    ['name one in `repositories` of this request, or', 'makima contracts create "<goal>" --repo'],
    ['what GET /api/v1/contracts takes: GET /reference', '--help after the command'],
    ['ask an owner', 'ask an owner'],
    [problemMeanings.NOT_FOUND.act, 'Check the id'],
  ])('%s: %s', (given, told) => {
    expect(inOwnWords(new MakimaError('CONFLICT', 'no', { fix: given })).fix).toContain(told);
  });
});

describe('an error in JSON', () => {
  beforeAll(() => {
    stage.url = undefined;
  });

  const oneProblem = (stderr: string): unknown => {
    expect(stderr).toMatch(/^[^\n]*\n$/);
    return zProblem.loose().parse(JSON.parse(stderr));
  };

  it.each([['-o', 'json'], ['--format', 'json'], ['--format=json'], ['-ojson']])(
    'is one line on stderr (%s %s)',
    async (...format) => {
      const { code, stdout, stderr } = await stage.run(['inbox', ...format]);
      expect([code, stdout]).toEqual([9, '']);
      expect(oneProblem(stderr)).toMatchObject({
        code: 'DEPENDENCY_UNAVAILABLE',
        fix: './makima up',
        retryable: true,
        exitCode: 9,
      });
    },
  );

  it('is so for wrong usage too', async () => {
    const { code, stderr } = await stage.run(['contracts', 'lst', '-o', 'json']);
    expect(code).toBe(2);
    expect(oneProblem(stderr)).toMatchObject({ code: 'VALIDATION_FAILED', exitCode: 2 });
  });

  it('carries the id and the facts of the server', async () => {
    await serve({
      getContract: () => {
        throw new MakimaError('CONTRACT_NOT_FOUND', 'gone \u009b2J', { details: { near: 'x' } });
      },
    });
    const id = sampleContract(1).id;
    const { code, stderr } = await stage.run(['contracts', 'show', id, '-o', 'json']);
    expect(code).toBe(7);
    expect(oneProblem(stderr)).toMatchObject({ requestId: 'req-test', details: { near: 'x' } });
    expect(stderr).not.toContain('\u009b');
  });
});
