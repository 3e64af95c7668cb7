/**
 * Runs the real program as a process, for tests.
 *
 * Law: its environment is made here from nothing, so that neither the tester's keys nor an agent's marks
 * decide; what was started is ended.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const program = resolve(import.meta.dirname, '../main.ts');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when stdout and stderr together contain the text. */
  until(text: string): Promise<void>;
  readonly end: Promise<Ran>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** In a process group of its own, as a supervisor of services starts it. */
  readonly ownGroup?: true;
}

/** A folder that stands for the user's home; the server and the key that commands use by default. */
export class CliStage {
  readonly home = mkdtempSync(join(tmpdir(), 'makima-cli-'));
  url: string | undefined;
  key: string | undefined;

  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      XDG_CONFIG_HOME: join(this.home, 'config'),
      MAKIMA_HOME: join(this.home, 'makima'),
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      ...(this.url === undefined ? {} : { MAKIMA_URL: this.url }),
      ...(this.key === undefined ? {} : { MAKIMA_TOKEN: this.key }),
      ...more,
    };
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? this.home,
      env: this.environment(options.env),
      detached: options.ownGroup === true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(options.stdin ?? '');
    let stdout = '';
    let stderr = '';
    const heard = new EventTarget();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      heard.dispatchEvent(new Event('text'));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      heard.dispatchEvent(new Event('text'));
    });
    const end = new Promise<Ran>((done) => {
      child.once('close', (code) => {
        done({ code, stdout, stderr });
        heard.dispatchEvent(new Event('text'));
      });
    });
    const until = (text: string): Promise<void> =>
      new Promise((found, failed) => {
        const look = (): void => {
          if ((stdout + stderr).includes(text)) found();
          else if (child.exitCode !== null) failed(new Error(`ended without '${text}': ${stderr}`));
          else heard.addEventListener('text', look, { once: true });
        };
        look();
      });
    return { child, until, end };
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.start(args, options).end;
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
