/** Processes of runs are found and ended, also those that try to hide, and those of a daemon that died. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endRun, freezeRun, runProcesses, sweepLeftovers, thawRun } from './kill.ts';
import { isAlive, processesOfRuns, processRow } from './process-table.ts';
import { readRunFile, removeRunFile, writeRunFile } from './run-file.ts';

let root: string;
const runIds: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'makima-kill-'));
});
afterEach(async () => {
  for (const runId of runIds.splice(0))
    await endRun({ runId, pid: 0, startTime: 1 }, { graceMs: 0 });
  rmSync(root, { recursive: true, force: true });
});

/** A run whose agent is a shell; resolves when the shell has said "ready". */
async function runOf(
  script: string,
): Promise<{ child: ChildProcess; home: string; runId: string }> {
  const runId = randomUUID();
  runIds.push(runId);
  const child = spawn('sh', ['-c', `${script} echo ready; while :; do sleep 0.05; done`], {
    detached: true,
    env: { PATH: process.env.PATH, MAKIMA_RUN_ID: runId },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const home = join(root, runId);
  writeRunFile(home, { runId, pid: child.pid as number });
  return { child, home, runId };
}

function runFile(home: string) {
  const file = readRunFile(home);
  if (file === null) throw new Error('no run file');
  return file;
}

describe('endRun', () => {
  it('ends what has a session of its own, what emptied its environment, and what is deaf', async () => {
    const { home } = await runOf(
      'setsid sleep 300 & env -i sleep 300 & (trap "" TERM; exec sleep 300) &',
    );
    const family = runProcesses(runFile(home));
    expect(family.length).toBeGreaterThanOrEqual(4);
    const swept = await endRun(runFile(home), { graceMs: 500 });
    expect(swept).toBeGreaterThanOrEqual(3);
    expect(family.filter(isAlive)).toEqual([]);
  });

  it('kills an agent that does not hear TERM, and one that is frozen', async () => {
    const deaf = await runOf('trap "" TERM;');
    await endRun(runFile(deaf.home), { graceMs: 50 });
    expect(isAlive(runFile(deaf.home))).toBe(false);
    const frozen = await runOf('');
    freezeRun(runFile(frozen.home));
    expect(processRow(frozen.child.pid as number)?.state).toBe('T');
    await endRun(runFile(frozen.home), { graceMs: 5000 });
    expect(isAlive(runFile(frozen.home))).toBe(false);
  });

  it('lets nothing of a frozen run go on when there is no grace', async () => {
    const told = join(root, 'told');
    const { home } = await runOf(`sh -c 'while :; do echo on; done' >'${told}' &`);
    await expect.poll(() => statSync(told).size).toBeGreaterThan(0);
    const file = runFile(home);
    freezeRun(file);
    const states = () => runProcesses(file).map(({ pid }) => processRow(pid)?.state);
    await expect.poll(() => new Set(states())).toEqual(new Set(['T']));
    const { size } = statSync(told);
    await endRun(file, { graceMs: 0 });
    expect(processesOfRuns(new Set([file.runId]))).toEqual([]);
    expect(statSync(told).size).toBe(size);
  });

  it('does not touch a process that has only the pid', async () => {
    const { home, child } = await runOf('');
    const file = runFile(home);
    await endRun(
      { runId: randomUUID(), pid: file.pid, startTime: file.startTime + 1 },
      { graceMs: 0 },
    );
    expect(child.exitCode).toBeNull();
    expect(isAlive(file)).toBe(true);
  });

  it('finds nothing the second time', async () => {
    const { home } = await runOf('');
    const file = runFile(home);
    await endRun(file, { graceMs: 500 });
    expect(await endRun(file, { graceMs: 500 })).toBe(0);
    expect(freezeRun(file)).toBe(0);
    expect(thawRun(file)).toBe(0);
  });
});

describe('sweepLeftovers', () => {
  it('ends agents and orphans of every run file, and removes the files', async () => {
    const living = await runOf('setsid sleep 300 &');
    const orphaned = await runOf('setsid sleep 300 &');
    process.kill(orphaned.child.pid as number, 'SIGKILL');
    await once(orphaned.child, 'exit');
    expect(processesOfRuns(new Set([orphaned.runId])).length).toBeGreaterThan(0);
    mkdirSync(join(root, 'broken'));
    writeFileSync(join(root, 'broken', 'run.json'), '{"runId":');
    const found = await sweepLeftovers(root);
    expect(new Map(found.map((left) => [left.runId, left.agentAlive]))).toEqual(
      new Map([
        [living.runId, true],
        [orphaned.runId, false],
      ]),
    );
    expect(processesOfRuns(new Set([living.runId, orphaned.runId]))).toEqual([]);
    expect(readRunFile(living.home)).toBeNull();
    expect(await sweepLeftovers(root)).toEqual([]);
    expect(await sweepLeftovers(join(root, 'never'))).toEqual([]);
  });

  it('does not kill whoever has the pid of an earlier boot', async () => {
    const { home, child } = await runOf('');
    const file = runFile(home);
    removeRunFile(home);
    const other = { ...file, runId: randomUUID(), bootId: 'another boot' };
    writeFileSync(join(home, 'run.json'), JSON.stringify(other));
    expect(await sweepLeftovers(root)).toMatchObject([{ runId: other.runId, agentAlive: false }]);
    expect(child.exitCode).toBeNull();
    expect(isAlive(file)).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('a daemon that is killed', () => {
  it('takes its agents along', async () => {
    const runId = randomUUID();
    runIds.push(runId);
    const home = join(root, 'run');
    const parent = spawn(
      process.execPath,
      [fileURLToPath(import.meta.resolve('./test-parent.ts'))],
      {
        env: { PATH: process.env.PATH, HOME: root, TEST_RUN: runId, TEST_HOME: home },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(parent.stdout as NodeJS.ReadableStream, 'data');
    const agent = runFile(home);
    expect(isAlive(agent)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    while (isAlive(agent)) await new Promise(setImmediate);
    expect(existsSync(join(home, 'run.json'))).toBe(true);
    expect(await sweepLeftovers(root)).toMatchObject([{ runId, agentAlive: false }]);
    expect(processesOfRuns(new Set([runId]))).toEqual([]);
  });
});
