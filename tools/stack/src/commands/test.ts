// `makima test`: the whole test run, ended by one line that a machine can read.
// Why: whoever runs the tests wants the outcome, and a file that cannot even be imported is a failure.
// Law: the last line is `N passed, N failed`, and the exit code agrees with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../checkout.ts';
import { slowUnitSuites } from '../slow-suites.ts';
import { exitCodes, type Command } from './command.ts';

export interface TestTally {
  passed: number;
  failed: number;
}

interface JsonReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

/** Counts tests, and each file that failed without a failed test (it did not load) as one failure. */
export const tallyReport = (report: JsonReport): TestTally => {
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
  };
};

/** Runs vitest with these extra arguments and returns the tally; a run without a report failed. */
export const runTests = async (args: readonly string[]): Promise<TestTally> => {
  const dir = mkdtempSync(join(tmpdir(), 'makima-tests-'));
  const reportFile = join(dir, 'report.json');
  const vitest = join(checkout, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: checkout,
    stdio: 'inherit',
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    const tally = readReport(reportFile);
    const quietFailure = code !== 0 && tally.failed === 0;
    return quietFailure ? { ...tally, failed: 1 } : tally;
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward);
    rmSync(dir, { recursive: true, force: true });
  }
};

/** What of our own arguments means for vitest; all others are vitest's already. */
export const vitestArguments = (args: readonly string[]): string[] =>
  args.flatMap((arg) =>
    arg === '--everyday'
      ? ['--project=unit', ...slowUnitSuites.map((path) => `--exclude=${path}`)]
      : [arg],
  );

const readReport = (file: string): TestTally => {
  try {
    return tallyReport(JSON.parse(readFileSync(file, 'utf8')) as JsonReport);
  } catch {
    return { passed: 0, failed: 1 };
  }
};

export const testCommand: Command = {
  summary: 'run the tests',
  help: `Usage: makima test [--everyday] [vitest arguments]

Runs all tests against stores of their own. The last line is \`N passed, N failed\`.

  --everyday  the tests beside the code, without the suites that start real agents and whole programs

Example: makima test packages/domain`,
  run: async ({ args }) => {
    const { passed, failed } = await runTests(vitestArguments(args));
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? exitCodes.ok : exitCodes.failed;
  },
};
