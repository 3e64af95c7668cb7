/**
 * One child process within bounds: argument array, given environment, time limit, output cap, own process
 * group. Why: git and check commands read what strangers wrote; none of them may hang, flood or outlive us.
 *
 * Law: never a shell, nothing of the daemon's own environment; whatever ends the run early ends the whole
 * process group: asked first, so that git removes its temporary files, then killed.
 *
 * export runBounded(file, args, options: BoundedOptions): Promise<BoundedResult>
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { livesInGroup } from './process-mark.ts';

export interface BoundedOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Cap over stdout and stderr, each. */
  readonly maxBytes: number;
  readonly input?: string | Buffer;
  readonly signal?: AbortSignal;
  /** Write stderr into stdout's buffer in the order of arrival. */
  readonly interleave?: boolean;
  /** End what the process left behind in its group after it exited. */
  readonly sweepGroup?: boolean;
}

export interface BoundedResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** `overflow`: the cap was reached and the process was ended; what came before is in the buffers. */
  readonly ending: 'exit' | 'timeout' | 'overflow' | 'aborted' | 'spawn_failed';
  readonly spawnError: Error | null;
}

/** After the exit, how long pipes held open by a process outside the group are waited for. */
const drainMs = 1_000;
/** Between asking a group to end and killing it. */
const graceMs = 1_000;
/** A killed group is gone a moment later; one that the system itself keeps is not waited for any longer. */
const sweptWithinMs = 1_000;
const sweepLookMs = 5;

export function runBounded(
  file: string,
  args: readonly string[],
  options: BoundedOptions,
): Promise<BoundedResult> {
  try {
    const child = spawn(file, [...args], {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      shell: false,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return follow(child, options);
  } catch (error) {
    // A NUL in an argument: there is no such process.
    const none = { exitCode: null, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    const spawnError = error instanceof Error ? error : new Error('unknown');
    return Promise.resolve({ ...none, ending: 'spawn_failed', spawnError });
  }
}

function follow(child: ChildProcess, options: BoundedOptions): Promise<BoundedResult> {
  return new Promise((resolve) => {
    const out = collector(options.maxBytes);
    const err = options.interleave === true ? out : collector(options.maxBytes);
    let ending: BoundedResult['ending'] = 'exit';
    let spawnError: Error | null = null;
    let drain: NodeJS.Timeout | undefined;
    let kill: NodeJS.Timeout | undefined;
    let settled = false;

    const stop = (why: BoundedResult['ending']): void => {
      if (ending !== 'exit') return;
      ending = why;
      killGroup(child, 'SIGTERM');
      kill = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
    };
    const onAbort = (): void => stop('aborted');
    const timer = setTimeout(() => stop('timeout'), options.timeoutMs);
    const settle = (exitCode: number | null, signal: string | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      clearTimeout(drain);
      clearTimeout(kill);
      options.signal?.removeEventListener('abort', onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      const stderr = err === out ? Buffer.alloc(0) : err.bytes();
      const swept = options.sweepGroup === true ? groupGone(child) : Promise.resolve();
      void swept.then(() =>
        resolve({ exitCode, signal, stdout: out.bytes(), stderr, ending, spawnError }),
      );
    };

    child.stdout?.on('data', (chunk: Buffer) => out.add(chunk) || stop('overflow'));
    child.stderr?.on('data', (chunk: Buffer) => err.add(chunk) || stop('overflow'));
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      ending = 'spawn_failed';
      spawnError = error;
      settle(null, null);
    });
    child.on('exit', (code, signal) => {
      // What a killed leader left behind would go on writing.
      if (options.sweepGroup === true || signal !== null || ending !== 'exit') {
        killGroup(child, 'SIGKILL');
      }
      drain = setTimeout(() => settle(code, signal), drainMs);
    });
    child.on('close', (code, signal) => settle(code, signal));
    // The child may close its stdin before it has read everything: that is its right, not our failure.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** A signal is on its way when kill returns: what it ends may still be there, and write. */
async function groupGone(child: ChildProcess): Promise<void> {
  const limit = performance.now() + sweptWithinMs;
  while (child.pid !== undefined && livesInGroup(child.pid) && performance.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, sweepLookMs));
  }
}

interface Collector {
  /** False when the cap was passed; what fits is kept. */
  readonly add: (chunk: Buffer) => boolean;
  readonly bytes: () => Buffer;
}

function collector(maxBytes: number): Collector {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk) {
      const room = maxBytes - size;
      if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      size += chunk.length;
      return size <= maxBytes;
    },
    bytes: () => Buffer.concat(chunks),
  };
}
