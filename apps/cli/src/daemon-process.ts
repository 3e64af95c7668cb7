/**
 * Runs the daemon's own program as a child: `daemon join`, `daemon start`.
 *
 * Law: its terminal, its signals and its exit code are ours. Ctrl-C at a terminal reaches it without us.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { MakimaError } from '@makima/domain/error';
import type { Shell } from './shell.ts';

export function runDaemon(shell: Shell, word: 'join' | 'start'): Promise<number> {
  const { checkout, cwd, env, stdin } = shell.io;
  const program = join(checkout, 'apps/daemon/src/main.ts');
  if (!existsSync(program)) {
    throw new MakimaError('NOT_FOUND', `this checkout has no ${program}`, {
      fix: 'get a complete checkout of makima',
    });
  }
  const child = spawn(process.execPath, [program, word, ...shell.rawArgs], {
    cwd,
    env,
    stdio: 'inherit',
  });
  const forward = (signal: NodeJS.Signals): void => {
    // The terminal sends Ctrl-C to every process in front of it; a second one would mean "at once".
    if (signal === 'SIGINT' && stdin.isTTY) return;
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const one of signals) process.off(one, forward);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
