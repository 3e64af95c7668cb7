// Runs one of our programs to its end: migrations, the enrolment of a daemon.
// Why: the stack needs their outcome before it goes on.
// Law: what the program said goes to its log; a failure is thrown with its last line.
import { startProgram, type Program } from '@makima/postgres/program';
import { once } from 'node:events';
import { badSettingsExitCode } from '@makima/runtime/config';
import { BadSettingsError } from './bad-settings.ts';
import type { LogFile } from './log-file.ts';

export interface RunOptions {
  name: string;
  program: Program;
  log: LogFile;
  /** Written to its standard input, which is then closed. */
  input?: string;
  timeoutMs: number;
}

/** A Node program of this checkout, with this environment and nothing else. */
export const nodeProgram = (
  main: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Program => ({
  command: process.execPath,
  args: [main, ...args],
  env,
  cwd,
  stopSignal: 'SIGTERM',
});

export const runToEnd = async (options: RunOptions): Promise<void> => {
  const child = startProgram(options.program, ['pipe', 'pipe', 'pipe']);
  let tail = '';
  const keep = (chunk: Buffer): void => {
    options.log.write(chunk);
    tail = (tail + chunk.toString('utf8')).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code === 0) return;
    if (code === badSettingsExitCode) throw new BadSettingsError(tail.trim());
    const said = tail.trim().split('\n').at(-1) ?? '';
    throw new Error(`${options.name} failed (${signal ?? `exit code ${code}`}): ${said}`);
  } finally {
    clearTimeout(deadline);
  }
};
