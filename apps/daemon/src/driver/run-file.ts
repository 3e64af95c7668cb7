/**
 * `<home>/run.json`: which process is this run's agent. Written before the agent is given anything to do, so
 * that a daemon that died and came back finds and ends what it left.
 *
 * Law: written whole or not at all (temporary file, then rename); a file that cannot be read names nobody.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessName } from './process-table.ts';
import { bootId, processRow } from './process-table.ts';

export interface RunFile extends ProcessName {
  readonly runId: string;
  readonly bootId: string;
}

export function writeRunFile(home: string, run: { runId: string; pid: number }): RunFile {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file: RunFile = {
    runId: run.runId,
    pid: run.pid,
    startTime: processRow(run.pid)?.startTime ?? 0,
    bootId: bootId(),
  };
  const path = join(home, 'run.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return file;
}

export function readRunFile(home: string): RunFile | null {
  try {
    const file: unknown = JSON.parse(readFileSync(join(home, 'run.json'), 'utf8'));
    return isRunFile(file) ? file : null;
  } catch {
    return null;
  }
}

export function removeRunFile(home: string): void {
  rmSync(join(home, 'run.json'), { force: true });
}

/** Homes below `runsDir` that hold a run file. */
export function homesWithRun(runsDir: string): readonly string[] {
  try {
    return readdirSync(runsDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(runsDir, entry.name))
      .filter((home) => readRunFile(home) !== null);
  } catch {
    return [];
  }
}

function isRunFile(value: unknown): value is RunFile {
  if (typeof value !== 'object' || value === null) return false;
  const file = value as Record<string, unknown>;
  return (
    typeof file.runId === 'string' &&
    file.runId !== '' &&
    typeof file.pid === 'number' &&
    file.pid > 1 &&
    typeof file.startTime === 'number' &&
    typeof file.bootId === 'string'
  );
}
