/**
 * `makima demo` as a person starts it: alone, twice at once, interrupted, and with what it cannot use.
 *
 * Law: a demo ends what it began, its processes as well as its contract, whatever ended it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliStage } from '@makima/cli/testing/cli';
import { hasTmux, openTerminal, type Terminal } from '@makima/cli/testing/terminal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const program = resolve(import.meta.dirname, '../../../tools/demo/src/main.ts');

let root: string;
let home: string;
const makeHome = (): void => {
  root = mkdtempSync(join(tmpdir(), 'makima demo '));
  home = join(root, 'home');
};
beforeEach(makeHome);
afterEach(() => {
  const left = processesOf(home);
  rmSync(root, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const identity = ['-c', 'user.name=x', '-c', 'user.email=x@localhost'];

interface Repository {
  readonly repo: string;
  readonly git: (...args: string[]) => string;
}

/** A repository of the person's own, with one commit. */
function repository(name: string): Repository {
  const repo = join(root, name);
  spawnSync('git', ['init', '--quiet', '--initial-branch=main', repo]);
  const git = (...args: string[]): string =>
    spawnSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).stdout.trim();
  git(...identity, 'commit', '--quiet', '--allow-empty', '-m', 'first');
  return { repo, git };
}

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly told: string;
}

/** Starts it; `at` is called with what it has told so far, whenever it tells more. */
async function demo(
  args: readonly string[],
  at: (told: string, child: ReturnType<typeof spawn>) => void = () => {},
): Promise<Run> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    // Room for the agents of demos that play beside each other.
    env: { PATH, HOME, NODE_COMPILE_CACHE, MAKIMA_HOME: home, MAKIMA_MAX_TASKS: '16' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    at(told, child);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, told };
}

/** Command lines that name the home: everything that a stack starts does, in arguments or environment. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const read = (file: string): string => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ');
        } catch {
          return '';
        }
      };
      const line = read('cmdline');
      return line !== '' && `${line} ${read('environ')}`.includes(dir) ? [line] : [];
    });
}

const leftBehind = 'had left behind';

const outcomeOf = ({ out }: Run): Record<string, unknown> =>
  JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;

const whole = { status: 'completed', tasks: 3, questions: 3, restorations: 1 };

/** Starts it and kills it while its agents are at work. */
function killedDemo(): Promise<Run> {
  let killed = false;
  return demo(['--yes'], (told, child) => {
    if (killed || !told.includes('Three agents are at work')) return;
    killed = true;
    child.kill('SIGKILL');
  });
}

// In one makima, which one of them starts and the others join, after a demo that was killed there.
describe('makima demo', () => {
  let killed: Run;
  let pair: readonly Run[];
  let mine: Repository & { readonly before: string; readonly run: Run };
  let stuck: Run;
  let left: readonly string[];
  let shared: string;
  beforeAll(async () => {
    makeHome();
    shared = root;
    killed = await killedDemo();
    const own = repository('my repo');
    const before = own.git('rev-parse', 'main');
    const bad = repository('bad repo');
    writeFileSync(join(bad.repo, 'docs'), 'not a folder\n');
    bad.git('add', 'docs');
    bad.git(...identity, 'commit', '--quiet', '-m', 'a file that is in the way');
    const [first, second, third, fourth] = await Promise.all([
      demo(['--yes', '--json']),
      demo(['--yes', '--json']),
      demo(['--yes', '--json', '--repo', own.repo]),
      demo(['--yes', '--json', '--repo', bad.repo]),
    ]);
    pair = [first, second];
    mine = { ...own, before, run: third };
    stuck = fourth;
    left = processesOf(home);
  }, 180_000);
  afterAll(() => rmSync(shared, { recursive: true, force: true }));

  it('is told from the failing tests to the passing ones, also beside another in the same makima', () => {
    const moments = [
      /its tests +0 of 3 pass/,
      /What should join the words of a slug\?/,
      /--yes answers: a dash/,
      /May "demo(?:-\w+)?" go from plan to execute\?/,
      /kill -9 (\d+)[^]*THE SUPERVISOR IS BACK: process \d+ in place of \1, epoch 2/,
      /says .*Earlier you chose a dash/,
      /merged +mend-initials into makima\/demo/,
      /\* .*\(makima\/demo\S*\) Merge/,
      /tests +before: 0 of 3 pass; on makima\/demo\S*: 3 of 3 pass/,
      /url +http:\/\/127\.0\.0\.1:\d+/,
      /Try next:/,
    ];
    for (const run of pair) {
      expect([run.code, outcomeOf(run)]).toEqual([0, expect.objectContaining(whole)]);
      expect(run.told).toMatch(new RegExp(moments.map((one) => one.source).join('[^]*')));
    }
  });

  it('works in a repository of the person, and leaves their branches alone', () => {
    const { run, git, before } = mine;
    expect([run.code, outcomeOf(run)]).toEqual([0, expect.objectContaining(whole)]);
    expect([git('rev-parse', 'main'), git('status', '--porcelain')]).toEqual([before, '']);
    const branch = /branch +(makima\/demo\S*) in /.exec(run.told)?.[1] ?? '';
    expect(git('ls-tree', '-r', '--name-only', branch)).toContain('docs/makima/history.md');
  });

  it('says what stopped it, with exit code 5, where the agents cannot do their work', () => {
    expect([stuck.code, outcomeOf(stuck)]).toEqual([
      5,
      expect.objectContaining({ status: 'stuck' }),
    ]);
    expect(stuck.told).toMatch(
      /fails +supervisor: .*docs[^]*could not go on[^]*more +\.\/makima why demo/,
    );
  });

  it('is cleaned up by the next one when it was killed', () => {
    expect(killed.told).not.toContain(leftBehind);
    const cleaned = [...pair, mine.run, stuck].filter(({ told }) =>
      told.includes(`Ended a contract that an earlier demo ${leftBehind}`),
    );
    expect(cleaned).toHaveLength(1);
  });

  it('leaves no process when the last one is done', () => {
    expect(left).toEqual([]);
  });
});

/** Waits until the terminal was told a text for the n-th time. */
const told = (terminal: Terminal, text: string, nth = 1): Promise<void> =>
  vi.waitFor(() => expect(terminal.bytes().split(text).length).toBeGreaterThan(nth), {
    timeout: 90_000,
    interval: 50,
  });

describe.skipIf(!hasTmux)('on a terminal', () => {
  let stage: CliStage;
  let terminal: Terminal;
  beforeEach(() => {
    stage = new CliStage();
  });
  afterEach(async () => {
    await terminal.close();
    stage.remove();
  });

  const until = (text: string, nth?: number): Promise<void> => told(terminal, text, nth);
  const answer = async (nth: number, ...keys: string[]): Promise<void> => {
    await until('your answer:', nth);
    await terminal.press(...keys, 'Enter');
  };

  it('a person answers, is told what is no answer, sends back, and leaves with Ctrl-C', async () => {
    terminal = await openTerminal(stage, [], { program });
    await answer(1, '7');
    await until('there is no choice 7: type 1 or 2');
    await answer(2, '2');
    await answer(3, 'first the tests');
    await until('Your answer: first the tests.');
    await answer(4, 'yes');
    await answer(5, 'not yet');
    await answer(6, '1');
    await until('makima goes on here until Ctrl-C');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(0);
    const told = terminal.bytes();
    expect(told).toContain('Earlier you chose an');
    expect(told).toMatch(/5 answers by you, killed and restored once/);
    const [name = ''] = readdirSync(join(stage.home, 'makima', 'demo'));
    const repo = join(stage.home, 'makima', 'demo', name);
    const show = (file: string): string =>
      spawnSync('git', ['-C', repo, 'show', `makima/demo:${file}`], { encoding: 'utf8' }).stdout;
    expect(show('src/slug.js')).toContain("join('_')");
    expect(show('docs/plan.md')).toContain('Remark 1: first the tests');
    expect(show('docs/review.md')).toContain('Remark 1: not yet');
  });
});

describe('an interrupted demo', () => {
  // All in one home: each begins where the one before it was stopped, and has nothing of it to end.
  const kept = mkdtempSync(join(tmpdir(), 'makima demo '));
  beforeEach(() => {
    home = join(kept, 'home');
  });
  afterAll(() => rmSync(kept, { recursive: true, force: true }));

  it.each([
    ['while it starts', 'Starting Postgres'],
    ['while agents are at work', 'Three agents are at work'],
  ])('%s leaves nothing behind, with exit code 130', async (_, words) => {
    let sent = false;
    const run = await demo(['--yes', '--json'], (told, child) => {
      if (sent || !told.includes(words)) return;
      sent = true;
      child.kill('SIGINT');
    });
    expect([run.code, processesOf(home)]).toEqual([130, []]);
    expect(run.told).not.toContain(leftBehind);
  });

  it.skipIf(!hasTmux)('ends with its terminal', async () => {
    const stage = new CliStage();
    const terminal = await openTerminal(stage, [], { program, env: { MAKIMA_HOME: home } });
    try {
      await told(terminal, 'your answer:');
      expect(terminal.bytes()).not.toContain(leftBehind);
    } finally {
      await terminal.close();
    }
    await vi.waitFor(() => expect(processesOf(home)).toEqual([]), { timeout: 60_000 });
    stage.remove();
  });
});

describe('what the demo cannot use', () => {
  it('is said in one line', async () => {
    const alone = await demo([]);
    expect(alone).toMatchObject({
      code: 2,
      told: 'makima demo: nobody is here to answer its questions: add --yes\n',
    });
    const nowhere = await demo(['--yes', '--repo', join(root, 'nowhere')]);
    expect(nowhere.code).toBe(1);
    expect(nowhere.told.trimEnd().split('\n').at(-1)).toMatch(
      /^makima demo: .*nowhere does not exist: give the folder of a git repository/,
    );
    expect(existsSync(join(home, 'run', 'stack.json'))).toBe(false);
  });
});
