/**
 * Runs the program on a real terminal, by tmux: for what only happens where a person looks.
 *
 * Law: a tmux server of its own, ended with the test; the screen's bytes are taken as they were written.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { program, type CliStage } from './cli.ts';

const execute = promisify(execFile);

export const hasTmux = ((): boolean => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

export interface Terminal {
  /** Every byte that was written to the terminal so far. */
  bytes(): string;
  /** Waits until the terminal was told this text. */
  until(text: string): Promise<void>;
  /** Presses keys, in tmux's names: `y`, `Enter`, `C-c`. */
  press(...keys: string[]): Promise<void>;
  /** Waits for the end of the program and gives its exit code. */
  exitCode(): Promise<number>;
  readonly close: () => Promise<void>;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than the command line. */
  readonly program?: string;
}

let count = 0;

export async function openTerminal(
  stage: CliStage,
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<Terminal> {
  count += 1;
  const socket = join(stage.home, `tmux-${count}`);
  const log = join(stage.home, `terminal-${count}`);
  const script = join(stage.home, `script-${count}.sh`);
  const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const command = [process.execPath, options.program ?? program, ...args].map(quote).join(' ');
  // The program begins when the log is connected, so that no byte is missing.
  writeFileSync(
    script,
    `trap : INT\ntmux -S ${quote(socket)} wait-for go\n${command}\necho "exit=$?"\nexec sleep 60\n`,
  );
  const tmux = (...words: string[]): Promise<unknown> =>
    execute('tmux', ['-S', socket, '-f', '/dev/null', ...words], {
      env: { ...stage.environment(options.env), TERM: 'xterm-256color' },
    });
  const size = ['-x', String(options.columns ?? 80), '-y', '24'];
  const term = options.env?.['TERM'] ?? 'screen-256color';
  writeFileSync(log, '');
  await tmux('new-session', '-d', ...size, `TERM=${term} sh ${quote(script)}`);
  await tmux('pipe-pane', '-o', `cat >> ${quote(log)}`);
  await tmux('wait-for', '-S', 'go');
  const bytes = (): string => readFileSync(log, 'utf8');
  const until = async (text: string): Promise<void> => {
    await vi.waitFor(
      () => {
        if (!bytes().includes(text)) throw new Error(`no '${text}' in:\n${bytes()}`);
      },
      { timeout: 10_000, interval: 20 },
    );
  };
  return {
    bytes,
    until,
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    exitCode: async () => {
      await until('exit=');
      return Number(/exit=(\d+)/.exec(bytes())?.[1]);
    },
    close: async () => void (await tmux('kill-server').catch(() => undefined)),
  };
}
