// What a check of the machine is, and how it asks a program for its version.
// Why: doctor is a list of small questions; each can be asked and tested by itself.
// Law: a check never changes the machine, never calls a model, and ends within seconds.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Home } from '../home.ts';

export type CheckStatus = 'pass' | 'warn' | 'fail';

export interface CheckResult {
  name: string;
  status: CheckStatus;
  /** What was found, one line. */
  detail: string;
  /** What to do about it; only where there is something to do. */
  fix?: string;
}

export interface CheckContext {
  home: Home;
  env: NodeJS.ProcessEnv;
}

export type Check = (context: CheckContext) => Promise<CheckResult | CheckResult[]>;

export const pass = (name: string, detail: string): CheckResult => ({
  name,
  status: 'pass',
  detail,
});

export const warn = (name: string, detail: string, fix: string): CheckResult => ({
  name,
  status: 'warn',
  detail,
  fix,
});

export const fail = (name: string, detail: string, fix: string): CheckResult => ({
  name,
  status: 'fail',
  detail,
  fix,
});

const run = promisify(execFile);
const timeoutMs = 5000;

/** First line of what `command ...args` prints, undefined when it is not there or fails. */
export const ask = async (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> => {
  try {
    const { stdout } = await run(command, [...args], { env, timeout: timeoutMs });
    return stdout.trim().split('\n')[0];
  } catch {
    return undefined;
  }
};

/** Compares the first `major.minor` in a text with a minimum. */
export const versionAtLeast = (text: string, major: number, minor: number): boolean => {
  const found = /(\d+)\.(\d+)/.exec(text);
  if (!found) return false;
  const [have, haveMinor] = [Number(found[1]), Number(found[2])];
  return have > major || (have === major && haveMinor >= minor);
};
