/**
 * Finding an agent's program on this machine, and asking it for its version.
 *
 * Law: only absolute folders are searched, so that nothing of a working directory is ever executed; the
 * program is given the agent's environment, never the daemon's.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from './environment.ts';

const run = promisify(execFile);
const versionMs = 20_000;

/** The configured program, or the first of that name on the path; null when there is none that can run. */
export function findProgram(
  name: string,
  env: Environment,
  configured: string | undefined,
): string | null {
  if (configured !== undefined) {
    return isAbsolute(configured) && canRun(configured) ? configured : null;
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  if (env.HOME !== undefined) folders.push(join(env.HOME, '.local', 'bin'));
  return folders.map((folder) => join(folder, name)).find(canRun) ?? null;
}

/** What `--version` says, or why it could not be asked. */
export async function versionOf(
  path: string,
  env: Environment,
): Promise<{ readonly version: string | null; readonly problem: string | null }> {
  try {
    const { stdout } = await run(path, ['--version'], { env, timeout: versionMs });
    return { version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null, problem: null };
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    return { version: null, problem: `${path} --version failed: ${why}` };
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
