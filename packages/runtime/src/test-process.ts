/**
 * A service as a real process, for tests of its start, its signals and its death.
 *
 * Law: it ends with the test that started it; whoever waits for a line of its log gets it or its exit.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LogLine } from './test-log.ts';

export interface TestProcess {
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** The first line (also an earlier one) with this message; rejects when the process ends without it. */
  line(message: string): Promise<LogLine>;
  /** The port in its line `health listening`. */
  port(): Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Run a file with the Node of this test and nothing of its environment but PATH and the compile cache. */
export function startProcess(
  main: string,
  env: Readonly<Record<string, string>>,
): TestProcess & { stop(): Promise<void> } {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: LogLine[] = [];
  const lookers = new Set<() => void>();
  let stderr = '';
  let over: number | NodeJS.Signals | undefined;
  const tell = (): void => lookers.forEach((look) => look());
  createInterface(child.stdout).on('line', (text) => {
    lines.push(parseLine(text));
    tell();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('close', (code, signal) => {
      over = signal ?? code ?? 1;
      resolve(over);
      tell();
    });
  });
  const line = (message: string): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((one) => one.message === message);
        if (found === undefined && over === undefined) return;
        lookers.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`ended with ${over} before "${message}": ${stderr.slice(-2_000)}`));
      };
      lookers.add(look);
      look();
    });
  return {
    pid: child.pid ?? 0,
    lines,
    line,
    port: async () => Number((await line('health listening'))['port']),
    signal: (name) => void child.kill(name),
    ended,
    async stop() {
      if (over === undefined) child.kill('SIGKILL');
      await ended;
    },
  };
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { message: text };
  }
}
