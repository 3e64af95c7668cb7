/** `makima daemon start`: the daemon's own program, in front, until it is stopped. */
import { runDaemon } from '../daemon-process.ts';
import type { Shell } from '../shell.ts';

export const run = (shell: Shell): Promise<number> => runDaemon(shell, 'start');
