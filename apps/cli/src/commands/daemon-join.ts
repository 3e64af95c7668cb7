/** `makima daemon join`: the daemon's own program enrols this machine. */
import { runDaemon } from '../daemon-process.ts';
import type { Shell } from '../shell.ts';

export const run = (shell: Shell): Promise<number> => runDaemon(shell, 'join');
