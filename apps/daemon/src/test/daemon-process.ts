/**
 * The daemon as a process of its own, in a folder of its own, for tests.
 *
 * Law: whatever a test did, `drop` leaves no process and no file: not the daemon's, not its agents'.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import type { TaskStart } from '@makima/contracts/socket/commands';
import { sweepLeftovers } from '../driver/kill.ts';
import type { DaemonTimings } from '../config.ts';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Fast enough for tests, with the same relations as the standing ones. */
export const testTimings: Partial<DaemonTimings> = {
  heartbeatMs: 200,
  silentMs: 1_500,
  welcomeMs: 2_000,
  resendMs: 600,
  askMs: 1_000,
  retryScale: 0.01,
  leaseTickMs: 50,
  drainGraceMs: 1_000,
  drainFlushMs: 3_000,
};

export interface TestDaemon {
  readonly root: string;
  readonly home: string;
  readonly ledgerPath: string;
  readonly pid: number;
  /** Everything that the daemon logged. */
  log(): string;
  /** Resolves when the daemon has logged this once more from now on. */
  logged(words: string): Promise<void>;
  start(timings?: Partial<DaemonTimings>): Promise<void>;
  /** Sends a signal; resolves with the exit code when the process is gone. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Lines of the agents' own ledger. */
  ledger(): Record<string, unknown>[];
  drop(): Promise<void>;
}

export async function createTestDaemon(options: {
  readonly gatewayUrl: string;
  readonly apiUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<TestDaemon> {
  const root = await mkdtemp(join(tmpdir(), 'makima-daemon-'));
  const home = join(root, 'home');
  const ledgerPath = join(root, 'ledger.jsonl');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'key'), 'test-daemon-key\n');
  let child: ChildProcess | null = null;
  let log = '';
  const watchers = new Set<() => void>();
  const daemon: TestDaemon = {
    root,
    home,
    ledgerPath,
    get pid() {
      return child?.pid ?? 0;
    },
    log: () => log,
    logged(words) {
      const from = log.length;
      return new Promise((resolve) => {
        const look = (): void => {
          if (!log.slice(from).includes(words)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
      });
    },
    async start(timings = {}) {
      const started = spawn(process.execPath, [program, 'start'], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
          HOME: root,
          MAKIMA_GATEWAY_URL: options.gatewayUrl,
          MAKIMA_API_URL: options.apiUrl ?? 'http://127.0.0.1:9',
          MAKIMA_DAEMON_HOME: home,
          MAKIMA_LEDGER: ledgerPath,
          MAKIMA_TIMINGS: JSON.stringify({ ...testTimings, ...timings }),
          LOG_LEVEL: 'debug',
          ...options.env,
        },
      });
      child = started;
      const ready = Promise.withResolvers<void>();
      const read = (chunk: Buffer): void => {
        log += chunk.toString();
        for (const look of watchers) look();
        if (log.slice(mark).includes('"message":"started"')) ready.resolve();
      };
      const mark = log.length;
      started.stdout?.on('data', read);
      started.stderr?.on('data', read);
      started.once('exit', () => ready.reject(new Error(`the daemon ended early: ${log}`)));
      await ready.promise;
    },
    async end(signal) {
      const ending = child;
      child = null;
      if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return null;
      const exit = once(ending, 'exit');
      ending.kill(signal);
      const [code] = (await exit) as [number | null];
      return code;
    },
    ledger() {
      if (!existsSync(ledgerPath)) return [];
      const lines = readFileSync(ledgerPath, 'utf8').split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    async drop() {
      await daemon.end('SIGKILL');
      await sweepLeftovers(join(home, 'runs'));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return daemon;
}

/** A `task.start` of the scripted agent; `steps` is YAML, one step a line. */
export function startCommand(steps: string, more: Partial<TaskStart> = {}): TaskStart {
  const taskId = more.taskId ?? randomUUID();
  const attempt = more.attempt ?? 1;
  return {
    kind: 'task.start',
    taskId,
    attempt,
    contractId: null,
    contractSlug: null,
    isSupervisor: false,
    name: 'A task',
    agent: 'scripted',
    model: null,
    plan: `Do it.\n\n\`\`\`makima-script\n${steps.trim()}\n\`\`\`\n`,
    systemAppend: '',
    sessionId: randomUUID(),
    resumeSession: false,
    hasTranscript: false,
    repository: null,
    branch: `makima/test/${taskId}-a${attempt}`,
    startSha: null,
    contractBranch: null,
    supervisorWorktreeTaskId: null,
    continueFromTaskId: null,
    copyFiles: [],
    patchCheckpointId: null,
    patchBaseSha: null,
    localOnly: true,
    autoMergeLocal: false,
    autonomousLoop: false,
    permissionMode: 'bypass',
    messages: [],
    ...more,
  };
}
