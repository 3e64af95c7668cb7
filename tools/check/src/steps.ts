// The steps of a check: each a question with a yes or a no, and what to read when it is a no.
// Why: people and CI run the same steps, in the same order, cheapest first.
// Law: every step runs even when one before it failed; one run tells everything.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkArchitecture } from './architecture.ts';
import { checkBoundaries } from './boundaries.ts';
import { checkTidy } from './tidy.ts';
import type { Tree, Violation } from './tree.ts';

export interface StepResult {
  ok: boolean;
  /** What to read when it failed. */
  output: string;
}

export interface Step {
  name: string;
  run: () => Promise<StepResult>;
}

export const staticSteps = (root: string, tree: () => Tree): Step[] => [
  { name: 'format', run: () => runTool(root, 'oxfmt', ['--check', '.']) },
  { name: 'lint', run: () => runTool(root, 'oxlint', ['--deny-warnings', '.']) },
  { name: 'types', run: () => runTool(root, 'tsc', ['-p', 'tsconfig.json']) },
  { name: 'boundaries', run: async () => told(checkBoundaries(tree())) },
  { name: 'tidy', run: async () => told(checkTidy(tree())) },
  { name: 'architecture', run: async () => told(checkArchitecture(tree())) },
];

/** Runs a step and says how it went and how long it took. */
export const takeStep = async ({ name, run }: Step): Promise<boolean> => {
  const start = performance.now();
  const { ok, output } = await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (!ok && output.trim() !== '') console.log(output.trimEnd());
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)} ${seconds.padStart(6)} s`);
  return ok;
};

const runTool = (root: string, tool: string, args: readonly string[]): Promise<StepResult> =>
  runProgram(root, join(root, 'node_modules', '.bin', tool), args);

const runProgram = async (
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<StepResult> => {
  const child = spawn(command, [...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => void (output += chunk.toString('utf8'));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { ok: code === 0, output };
  } catch (error) {
    return { ok: false, output: (error as Error).message };
  }
};

const told = (violations: readonly Violation[]): StepResult => ({
  ok: violations.length === 0,
  output: violations
    .map(({ path, line, rule, message }) => `${path}:${line}  ${rule}: ${message}`)
    .join('\n'),
});

export interface Tally {
  passed: number;
  failed: number;
}

const tallyLine = /^(\d+) passed, (\d+) failed$/;

/**
 * Runs a program that ends with `N passed, N failed`, showing what it says as it says it, and
 * returns its tally. A program that ends otherwise counts as one failure.
 */
export const runTallied = async (root: string, args: readonly string[]): Promise<Tally> => {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  let tally: Tally | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const found = tallyLine.exec(line);
      if (found) tally = { passed: Number(found[1]), failed: Number(found[2]) };
      else console.log(line);
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (rest !== '') console.log(rest);
  const { passed, failed } = tally ?? { passed: 0, failed: 0 };
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
};
