// The tests of a repository, run by the demo itself: before the agents come, and on what they made.
// Why: "the tests pass" is shown best by whoever did not write the code.
// Law: what is checked is a clone of the branch; nobody's working directory is touched.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git } from './repository.ts';

export interface Verdict {
  readonly pass: number;
  readonly fail: number;
}

/** Runs `node --test` in a folder and counts. */
export async function testsIn(dir: string): Promise<Verdict> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const count = (word: string): number =>
    Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail') };
}

/** The same for a branch, in a clone that is thrown away. */
export async function testsOnBranch(repo: string, branch: string): Promise<Verdict> {
  const dir = mkdtempSync(join(tmpdir(), 'makima-demo-'));
  try {
    git(repo, ['clone', '--quiet', '--single-branch', '--branch', branch, '--', repo, dir]);
    return await testsIn(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `3 of 3 pass` */
export function inWords({ pass, fail }: Verdict): string {
  return `${pass} of ${pass + fail} pass`;
}
