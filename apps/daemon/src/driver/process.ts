/**
 * Starts an agent's process: only the environment given, its own process group, a lower priority, and tied to
 * the daemon's life where the system can (`setpriv --pdeathsig TERM`), with its run file written at once.
 *
 * Law: an argument list, never a shell; the child's pid is the agent's own (the wrappers exec).
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { ExitInfo } from './driver.ts';
import type { Environment } from './environment.ts';
import type { CutLine } from './line-splitter.ts';
import { lineSplitter } from './line-splitter.ts';
import type { RunFile } from './run-file.ts';
import { writeRunFile } from './run-file.ts';
import { startFailure } from './start-failure.ts';
import { requireDirectory } from './start-spec.ts';

export interface AgentProcessOptions {
  readonly runId: string;
  readonly home: string;
  readonly cwd: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the agent. */
  readonly env: Environment;
  readonly lineBytes: number;
  readonly onLine: (line: string) => void;
  readonly onErrorLine: (line: string) => void;
  readonly onCut: (stream: 'stdout' | 'stderr', cut: CutLine) => void;
}

export interface AgentProcess {
  readonly run: RunFile;
  /** Resolves after the exit, when all that it wrote has been read. */
  readonly exited: Promise<ExitInfo>;
  /** Writes one line; silently nothing when the agent's input is closed. */
  writeLine(line: string): void;
  closeInput(): void;
  /** Holds its output back (it then waits on its pipe) and lets it flow again. */
  hold(): void;
  release(): void;
}

/** How long an exited agent's pipes may be kept open by a child of its before they are let go. */
const drainMs = 300;
const errorLineBytes = 64 * 1024;

/** @throws MakimaError reason `not_found` or `exited` when the program cannot be started. */
export async function startProcess(options: AgentProcessOptions): Promise<AgentProcess> {
  requireDirectory(options.cwd);
  const wrapped = tiedToParent(options.command, options.args);
  const child = spawn(wrapped.command, wrapped.args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        startFailure('not_found', `Could not start ${options.command}: ${cause.message}`, {
          cause,
        }),
      ),
    );
  });
  const run = await recordRun(child, options);
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  const exited = readAll(child, options);
  return {
    run,
    exited,
    writeLine(line) {
      if (child.stdin.writable) child.stdin.write(`${line}\n`);
    },
    closeInput: () => child.stdin.end(),
    hold: () => child.stdout.pause(),
    release: () => child.stdout.resume(),
  };
}

/** An agent that cannot be found again after a death of the daemon is not let go on. */
async function recordRun(
  child: ChildProcessWithoutNullStreams,
  options: AgentProcessOptions,
): Promise<RunFile> {
  try {
    return writeRunFile(options.home, { runId: options.runId, pid: child.pid as number });
  } catch (cause) {
    child.kill('SIGKILL');
    await once(child, 'exit');
    throw startFailure(
      'bad_spec',
      `The run's home cannot be written: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function readAll(
  child: ChildProcessWithoutNullStreams,
  options: AgentProcessOptions,
): Promise<ExitInfo> {
  const out = lineSplitter({
    maxBytes: options.lineBytes,
    onLine: options.onLine,
    onCut: (cut) => options.onCut('stdout', cut),
  });
  const err = lineSplitter({
    maxBytes: errorLineBytes,
    onLine: options.onErrorLine,
    onCut: (cut) => options.onCut('stderr', cut),
  });
  child.stdout.on('data', (chunk: Buffer) => out.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.write(chunk));
  return new Promise((resolve) => {
    let letGo: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      // Held output must still be read; a grandchild that keeps the pipe open must not keep us.
      child.stdout.resume();
      letGo = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, drainMs);
    });
    child.once('close', (code, signal) => {
      clearTimeout(letGo);
      out.end();
      err.end();
      resolve({ code, signal });
    });
  });
}

/** Puts `nice` and `setpriv` before the command where they are; both exec, so the pid stays the agent's. */
function tiedToParent(
  command: string,
  args: readonly string[],
): { command: string; args: string[] } {
  const line = [command, ...args];
  const tie = process.platform === 'linux' ? systemProgram('setpriv') : null;
  if (tie !== null) line.unshift(tie, '--pdeathsig', 'TERM', '--');
  const lower = systemProgram('nice');
  if (lower !== null) line.unshift(lower, '-n', '10');
  const [first, ...rest] = line;
  return { command: first as string, args: rest };
}

/** A program of the system's own folders; the agent's PATH has no say in the wrappers. */
function systemProgram(name: string): string | null {
  for (const folder of ['/usr/bin', '/bin', '/usr/local/bin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}
