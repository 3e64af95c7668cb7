// One process that is kept alive: started, watched, started again with back-off, stopped in time.
// Why: every service may die at any moment and must be back in a second, and a drain must end.
// Law: after stop() no process of it runs; a death before stop() is always followed by a start, but for a
// process that never served and ends with the word that its settings do not fit: only a person mends those.
import type { ChildProcess } from 'node:child_process';
import { startProgram, type Program } from '@makima/postgres/program';
import { badSettingsExitCode } from '@makima/runtime/config';
import { tellingLine, type LogFile } from './log-file.ts';
import { BadSettingsError } from './bad-settings.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import type { ProcessKind, ProcessRecord } from './state-file.ts';
import type { ReadyOptions } from './store-ready.ts';

export interface SupervisedSpec {
  name: string;
  kind: ProcessKind;
  program: Program;
  port: number | null;
  log: LogFile;
  /** Resolves when the process serves; asks `failure` whether waiting is still of use. */
  ready: (options: ReadyOptions) => Promise<void>;
  /** Milliseconds between the stop signal and SIGKILL. */
  stopTimeoutMs: number;
  onChange: (change: ProcessChange) => void;
}

export type ProcessChange =
  | { kind: 'started' | 'ready' | 'stopped'; name: string }
  | { kind: 'died'; name: string; reason: string; restartInMs: number };

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

const firstBackOffMs = 100;
const maxBackOffMs = 5000;
/** A life this long shows that the process is well: the next death starts with a short back-off. */
const healthyLifeMs = 10_000;
/** So many deaths without having been ready once, and whoever waits for it is told. */
const maxFirstDeaths = 3;
const saidChars = 4000;

export class SupervisedProcess {
  readonly spec: SupervisedSpec;
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #wanted = false;
  #ready = false;
  #wasReady = false;
  #restarts = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiters = new Set<Waiter>();
  #lastReason = '';
  /** What the life that goes on has said on standard error, the end of it. */
  #said = '';
  /** Why it is not started again. */
  #settled: BadSettingsError | undefined;

  constructor(spec: SupervisedSpec) {
    this.spec = spec;
  }

  get pid(): number | null {
    return this.#identity?.pid ?? null;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get record(): ProcessRecord {
    return {
      name: this.spec.name,
      kind: this.spec.kind,
      port: this.spec.port,
      pid: this.#identity?.pid ?? null,
      startTime: this.#identity?.startTime ?? null,
      restarts: this.#restarts,
    };
  }

  /** Starts it and returns at once; twice is fine. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#launch();
  }

  /**
   * Resolves when the process serves, in this life or a later one. Rejects when it died three times
   * without ever having served, when it was stopped, or after `timeoutMs`.
   */
  async whenReady(timeoutMs = 30_000): Promise<void> {
    if (this.#ready) return;
    if (this.#settled) throw this.#settled;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`${this.spec.name} was not ready after ${timeoutMs} ms: ${this.#hint()}`));
      }, timeoutMs);
    }).finally(() => clearTimeout(timer));
  }

  /** Sends a signal to the process that runs now; for faults. A death is followed by a start. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Drains it: the stop signal, then SIGKILL to its whole group at the deadline. Twice is fine. */
  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#settle(new Error(`${this.spec.name} was stopped`));
    const child = this.#child;
    if (!child) return;
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => this.#killGroup(child), this.spec.stopTimeoutMs);
      child.once('exit', () => {
        clearTimeout(deadline);
        resolve();
      });
      child.kill(this.spec.program.stopSignal);
      child.kill('SIGCONT');
    });
  }

  /** SIGKILL now, without asking. */
  kill(): void {
    this.#wanted = false;
    clearTimeout(this.#timer);
    if (this.#child) this.#killGroup(this.#child);
  }

  #launch(): void {
    const child = startProgram(this.spec.program, ['ignore', 'pipe', 'pipe']);
    const bornMs = performance.now();
    let gone: string | undefined;
    const end = (reason: string): void => {
      if (gone !== undefined) return;
      gone = reason;
      this.#ended(reason, performance.now() - bornMs);
    };
    child.stdout?.on('data', (chunk: Buffer) => this.spec.log.write(chunk));
    this.#said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      this.spec.log.write(chunk);
      this.#said = (this.#said + chunk.toString('utf8')).slice(-saidChars);
    });
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => {
      if (code !== badSettingsExitCode || this.#wasReady) end(signal ?? `exit code ${code}`);
    });
    // Its words have all come when its streams are closed.
    child.once('close', (code, signal) => {
      if (code === badSettingsExitCode && !this.#wasReady) this.#refuseSettings();
      end(signal ?? `exit code ${code}`);
    });
    this.#child = child;
    this.#identity = child.pid === undefined ? undefined : identify(child.pid);
    this.spec.onChange({ kind: 'started', name: this.spec.name });
    this.spec
      .ready({ timeoutMs: Number.POSITIVE_INFINITY, failure: () => gone })
      .then(() => this.#served(child))
      .catch(() => {});
  }

  #served(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#ready = true;
    this.#wasReady = true;
    this.spec.onChange({ kind: 'ready', name: this.spec.name });
    this.#settle();
  }

  #ended(reason: string, livedMs: number): void {
    this.#child = undefined;
    this.#identity = undefined;
    this.#ready = false;
    this.#lastReason = reason;
    if (!this.#wanted || this.#settled) {
      this.spec.onChange({ kind: 'stopped', name: this.spec.name });
      return;
    }
    if (livedMs >= healthyLifeMs) this.#failures = 0;
    const restartInMs = Math.min(firstBackOffMs * 2 ** this.#failures, maxBackOffMs);
    this.#failures += 1;
    this.#restarts += 1;
    this.spec.log.write(`[stack] ${this.spec.name} left: ${reason}; starts in ${restartInMs} ms\n`);
    if (!this.#wasReady && this.#failures >= maxFirstDeaths) {
      this.#settle(new Error(`${this.spec.name} does not start: ${this.#hint()}`));
    }
    this.#timer = setTimeout(() => this.#launch(), restartInMs);
    this.spec.onChange({ kind: 'died', name: this.spec.name, reason, restartInMs });
  }

  #refuseSettings(): void {
    const said = this.#said.trim() || `${this.spec.name} refuses its settings`;
    this.#settled = new BadSettingsError(said);
    this.#settle(this.#settled);
  }

  #hint(): string {
    const said = tellingLine(this.spec.log.path);
    const parts = [this.#lastReason, said, `see ${this.spec.log.path}`];
    return parts.filter((part) => part !== undefined && part !== '').join(', ');
  }

  #settle(error?: Error): void {
    for (const waiter of this.#waiters) {
      if (error) waiter.reject(error);
      else waiter.resolve();
    }
    this.#waiters.clear();
  }

  #killGroup(child: ChildProcess): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  }
}
