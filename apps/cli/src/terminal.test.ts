/** What only happens where a person looks: fitted tables, colours, prompts, Ctrl-C. Needs tmux. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
  sampleDetail,
  sampleEvent,
  sampleId,
  sampleQuestion,
} from '@makima/client/testing/samples';
import { CliStage } from './testing/cli.ts';
import { hasTmux, openTerminal, type Terminal } from './testing/terminal.ts';

const stage = new CliStage();
let server: DescribedServer;
let terminal: Terminal;
afterEach(async () => {
  await terminal.close();
  await server.close();
});
afterAll(() => stage.remove());

const escape = '\u001b';
const contracts = [
  sampleContract(1, {
    slug: 'a-contract-with-a-name-that-is-far-too-long-for-a-narrow-screen',
    attention: 'needs_you',
    status: 'waiting_for_input',
    openQuestions: 2,
  }),
  sampleContract(2, { phase: 'a-phase-with-a-long-name', attention: 'failed' }),
];
const question = sampleQuestion(1, { contractSlug: 'fix-login' });
const handlers: Handlers = {
  listContracts: () => ({ items: contracts, nextCursor: null }),
  getContract: () => sampleDetail(1, { status: 'waiting_for_input', waitingFor: 'question' }),
  listEvents: ({ query }) => {
    const items = query.after === undefined ? [sampleEvent(1, 'question.asked')] : [];
    return { items, nextCursor: null, cursor: '1' };
  },
  changeStatus: ({ body }) => ({
    success: true,
    previousStatus: 'active',
    newStatus: body.targetStatus,
    rejectionReason: null,
  }),
  inbox: () => ({
    items: [
      {
        kind: 'question',
        rank: 0,
        since: question.askedAt,
        contractId: question.contractId,
        contractSlug: question.contractSlug,
        contractName: 'Fix login',
        title: question.question,
        question,
        act: `makima answer ${question.id} <answer>`,
      },
    ],
  }),
};

async function open(
  ...args: Parameters<typeof openTerminal> extends [unknown, ...infer A] ? A : never
) {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
  terminal = await openTerminal(stage, ...args);
  return terminal;
}

const linesOf = (terminal: Terminal): string[] => terminal.bytes().split(/\r?\n/);

describe.skipIf(!hasTmux)('on a terminal', () => {
  it('a table fits 80 columns, with header and whole ids', async () => {
    const terminal = await open(['contracts', 'list', '--no-color']);
    expect(await terminal.exitCode()).toBe(0);
    const lines = linesOf(terminal);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^ {2}ID +NAME +STATUS +PHASE +NEEDS YOU +TASKS +UPDATED$/);
    expect(lines[1]).toMatch(
      /^! 0199c0a1-0001 {2}a-contract-.*… +waiting +plan +2 questions +2\/3 +\d+d$/,
    );
    expect(lines[2]).toMatch(/^x 0199c0a1-0002 {2}contract-2 /);
    expect(lines[3]).toBe('2 contracts, 1 needs you.  Answer: makima inbox.');
  });

  it('has colours by default', async () => {
    const terminal = await open(['contracts', 'list']);
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.bytes()).toContain(`${escape}[33m`);
  });

  it.each([
    ['NO_COLOR=1', { NO_COLOR: '1' }, ['contracts', 'list']],
    ['TERM=dumb', { TERM: 'dumb' }, ['contracts', 'list']],
    ['NO_COLOR=1', { NO_COLOR: '1' }, ['watch', '--help']],
    ['NO_COLOR=1', { NO_COLOR: '1' }, ['contracts', 'nothing']],
  ])('with %s %j there is none (%j)', async (_, env, args) => {
    const terminal = await open(args, { env });
    await terminal.exitCode();
    expect(terminal.bytes()).not.toContain(escape);
  });

  it('an agent gets JSON and no prompt even there', async () => {
    const terminal = await open(['contracts', 'cancel', 'contract-2'], {
      env: { CLAUDECODE: '1' },
    });
    expect(await terminal.exitCode()).toBe(2);
    expect(terminal.bytes()).toContain('"code":"VALIDATION_FAILED"');
    expect(terminal.bytes()).not.toContain('[y/N]');
  });

  it('the inbox shows what an agent would do, who asks, and what happens when nobody answers', async () => {
    const asked = sampleQuestion(3, {
      question: 'May the agent use Bash?',
      questionType: 'permission',
      choices: ['Allow', 'Deny'],
      askedBy: 'builder',
      tool: { name: 'Bash', input: { command: 'rm -r\u001b[2J build', timeout: 5 } },
    });
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const timed = sampleQuestion(4, {
      choices: [],
      multiSelect: true,
      default: { answer: 'Google', at },
    });
    const item = (rank: number, kind: 'permission' | 'question', whole: typeof asked) => ({
      kind,
      rank,
      since: whole.askedAt,
      contractId: whole.contractId,
      contractSlug: 'fix-login',
      contractName: 'Fix login',
      title: whole.question,
      question: whole,
      act: `makima answer ${whole.id} x`,
    });
    server = await startDescribedServer({
      inbox: () => ({ items: [item(1, 'permission', asked), item(2, 'question', timed)] }),
    });
    stage.url = server.url;
    terminal = await openTerminal(stage, ['inbox', '--no-color']);
    expect(await terminal.exitCode()).toBe(0);
    const bytes = terminal.bytes();
    expect(bytes).toMatch(/^! May the agent use Bash\? {2}fix-login, builder, /);
    expect(bytes).toContain('    command: rm -r build');
    expect(bytes).toContain('    timeout: 5');
    expect(bytes).toMatch(/answers itself with "Google" in (1h 00m|59m \d\ds)/);
    expect(bytes).toContain('several may be taken: 1,2');
  });

  it('the inbox shows choices and a short command', async () => {
    const terminal = await open(['inbox', '--no-color']);
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.bytes()).toMatch(/^! Which provider should the redirect use\? {2}fix-login, /);
    expect(terminal.bytes()).toContain('    2  GitHub');
    expect(terminal.bytes()).toContain('  makima answer 0199' + '9ee3 <answer>');
  });

  it('breaks long lines between words, and has whole commands as they are typed', async () => {
    const reason = 'it waits for a machine that is away '.repeat(5).trim();
    const act = `makima contracts resume ${sampleId('contract', 1)} --because "it is time to go on now"`;
    const blocker = { kind: 'pause', reason, since: null, whoCanAct: 'person', act };
    server = await startDescribedServer({
      whyContract: ({ params }) => ({
        id: params.id,
        kind: 'contract',
        status: 'paused',
        moving: false,
        summary: reason,
        blockers: [{ ...blocker, taskId: null, questionId: null }],
      }),
    });
    stage.url = server.url;
    const env = { MAKIMA_COMMAND: './makima' };
    terminal = await openTerminal(stage, ['why', sampleId('contract', 1), '--no-color'], { env });
    expect(await terminal.exitCode()).toBe(0);
    const lines = linesOf(terminal);
    expect(lines).toContain(`    ./${act}`);
    const others = lines.filter((line) => !line.includes(act));
    expect(Math.max(...others.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(others.join(' ').replaceAll(/ +/g, ' ')).toContain(`! ${reason} `);
  });

  it('breaks an error between words too', async () => {
    const terminal = await open([
      '--no-color',
      'contracts',
      'show',
      'no-'.repeat(20) + 'such contract',
    ]);
    expect(await terminal.exitCode()).not.toBe(0);
    const lines = linesOf(terminal).filter((line) => !line.startsWith('  fix '));
    expect(lines[0]).toMatch(/^error: there is no contract$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    ['y', 0, 'contract-2 is cancelled'],
    ['n', 3, 'nothing was changed'],
  ])('asks before it cancels; %s exits %i', async (answer, exitCode, text) => {
    const terminal = await open(['contracts', 'cancel', 'contract-2']);
    await terminal.until('cancel contract contract-2 for good? [y/N]');
    await terminal.press(answer, 'Enter');
    expect(await terminal.exitCode()).toBe(exitCode);
    expect(terminal.bytes()).toContain(text);
  });

  it('Ctrl-C at the question changes nothing and exits 130', async () => {
    const terminal = await open(['contracts', 'cancel', 'contract-2']);
    await terminal.until('[y/N]');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(130);
    expect(server.received).toEqual([]);
  });

  it('watch goes on while a person may answer; Ctrl-C detaches with 130', async () => {
    const terminal = await open(['watch', 'contract-2']);
    await terminal.until('question');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(130);
    const bytes = terminal.bytes();
    expect(bytes).toContain('detached; the contract goes on');
    expect(bytes).toContain('Back to it: makima watch contract-2');
  });
});
