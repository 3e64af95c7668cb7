// `makima check`: everything that must be true before a change is taken in.
// Why: what CI runs and what people run is one program.
// Law: prints the time of each step; exit code 0 only when every step passed. With --ci the chaos
// run comes after the tests, and the last line is `N passed, N failed`.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { leftoversSince, livingProcesses } from './leftovers.ts';
import { runTallied, staticSteps, takeStep, type Tally } from './steps.ts';
import { readTree, type Tree } from './tree.ts';

const root = resolve(import.meta.dirname, '../../..');

const help = `Usage: makima check [--quick | --ci]

Format, lint, types, boundaries, house rules, ARCHITECTURE.md, and the tests beside the code but for the
suites that start real agents and whole programs; each with its time.

  --quick  without tests
  --ci     every test, 90 s of chaos and a look for processes left; last line \`N passed, N failed\`

Example: makima check --quick`;

const chaosSeconds = '90';

const checkStatic = async (): Promise<Tally> => {
  let tree: Tree | undefined;
  const tally = { passed: 0, failed: 0 };
  for (const step of staticSteps(root, () => (tree ??= readTree(root)))) {
    tally[(await takeStep(step)) ? 'passed' : 'failed'] += 1;
  }
  return tally;
};

const timed = async (name: string, args: readonly string[]): Promise<Tally> => {
  const start = performance.now();
  const tally = await runTallied(root, args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const outcome = `${tally.passed} passed, ${tally.failed} failed`;
  console.log(
    `${tally.failed === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)} ${seconds.padStart(6)} s  ${outcome}`,
  );
  return tally;
};

const runTests = (extent: 'everyday' | 'all'): Promise<Tally> => {
  const main = join('tools', 'stack', 'src', 'main.ts');
  return timed('tests', [main, 'test', ...(extent === 'everyday' ? ['--everyday'] : [])]);
};

/** A chaos run that says nothing about numbers counts as one. */
const runChaos = async (): Promise<Tally> => {
  const main = join('tests', 'chaos', 'src', 'main.ts');
  if (!existsSync(join(root, main))) return { passed: 0, failed: 1 };
  const { passed, failed } = await timed('chaos', [main, '--seconds', chaosSeconds]);
  return { passed: passed === 0 && failed === 0 ? 1 : passed, failed };
};

const lookForLeftovers = (before: ReadonlySet<number>): Tally => {
  const left = leftoversSince(before, root);
  for (const { pid, commandLine } of left) console.log(`left behind: ${pid} ${commandLine}`);
  console.log(`${left.length === 0 ? 'ok  ' : 'FAIL'}  no process left`);
  return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
};

const run = async (args: readonly string[]): Promise<number> => {
  const known = new Set(['--quick', '--ci', '--help', '-h']);
  const unknown = args.find((arg) => !known.has(arg));
  if (unknown !== undefined) {
    console.error(`makima: check does not know ${unknown}: see makima check --help`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help);
    return 0;
  }
  const before = livingProcesses();
  const tallies = [await checkStatic()];
  const isCi = args.includes('--ci');
  if (!args.includes('--quick')) tallies.push(await runTests(isCi ? 'all' : 'everyday'));
  if (isCi) tallies.push(await runChaos(), lookForLeftovers(before));
  const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
  if (isCi) console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
};

process.exitCode = await run(process.argv.slice(2));
