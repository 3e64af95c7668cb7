/**
 * `daemon join` and `daemon start`: the daemon's own program takes the place of this one.
 *
 * Why: whoever supervises it (systemd, a container, a terminal) may signal every process that it sees. Were the
 * daemon a child of ours it would be told twice, and a second signal means "at once".
 * Law: the same process, terminal, folder and environment; nothing of ours stays.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { MakimaError } from '@makima/domain/error';
import type { Shell } from './shell.ts';

/** @throws before the daemon begins; else it does not return. */
export async function runDaemon(shell: Shell, word: 'join' | 'start'): Promise<never> {
  const { checkout, env } = shell.io;
  const program = join(checkout, 'apps/daemon/src/main.ts');
  if (!existsSync(program)) {
    throw new MakimaError('NOT_FOUND', `this checkout has no ${program}`, {
      fix: 'get a complete checkout of makima',
    });
  }
  const node = process.execPath;
  return process.execve!(node, [node, program, word, ...shell.rawArgs], { ...env });
}
