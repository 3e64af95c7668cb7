// The pipeline counts what it ran, also what did not end as it should.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leftoversSince, livingProcesses } from './leftovers.ts';
import { runTallied } from './steps.ts';

const tallyOf = (code: string) => runTallied('/', ['--eval', code]);

describe('runTallied', () => {
  it('takes the tally from the line that says it', async () => {
    expect(await tallyOf("console.log('x\\n3 passed, 0 failed')")).toEqual({
      passed: 3,
      failed: 0,
    });
  });

  it('counts a program that fails without a count as one failure', async () => {
    expect(await tallyOf('process.exit(3)')).toEqual({ passed: 0, failed: 1 });
    expect(await tallyOf("console.log('3 passed, 0 failed'); process.exitCode = 1")).toEqual({
      passed: 3,
      failed: 1,
    });
  });
});

describe('leftoversSince', () => {
  it('finds a process that began in our folders, and no other', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'makima-left-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const before = livingProcesses();
    const ours = spawn('sleep', ['60'], { cwd: dir, stdio: 'ignore' });
    const other = spawn('sleep', ['60'], { cwd: '/', stdio: 'ignore' });
    await Promise.all([once(ours, 'spawn'), once(other, 'spawn')]);
    const pids = leftoversSince(before, dir).map(({ pid }) => pid);
    expect(pids).toContain(ours.pid);
    expect(pids).not.toContain(other.pid);
    for (const child of [ours, other]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
