// A short-lived store process for tests: started, waited for, killed, paused, started again.
// Why: fault tests need a server whose life they own, without the supervisor's restarts in between.
// Law: it dies with the process that started it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startProgram, type Program } from '@makima/postgres/program';

export interface ScratchProcess {
  /** Process id of the server that runs now. */
  readonly pid: number;
  /** Last lines that the server wrote, for error messages. */
  output(): string;
  /** Why it will never be ready; undefined while it lives. */
  failure(): string | undefined;
  /** Sends a signal and, if it is one that ends the process, waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
  pause: () => void;
  resume: () => void;
}

const maxOutputChars = 4000;

export const startScratchProcess = (program: Program): ScratchProcess => {
  const child: ChildProcess = startProgram(program, ['ignore', 'pipe', 'pipe']);
  let output = '';
  let gone: string | undefined;
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-maxOutputChars);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => (gone = error.message));
  child.once('exit', (code, signal) => {
    gone ??= `left with ${signal ?? code}: ${output.trim().split('\n').at(-1) ?? ''}`;
  });
  return {
    get pid() {
      return child.pid ?? 0;
    },
    output: () => output,
    failure: () => gone,
    end: async (signal) => {
      if (gone !== undefined) return;
      const exit = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill(signal);
      await exit;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
};
