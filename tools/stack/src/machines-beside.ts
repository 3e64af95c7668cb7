// Daemons of this machine that the stack did not start: joined by hand, in a folder of their own.
// Why: such a folder may hold the only copy of work that is not merged, and such a daemon agents at work.
// Law: looks and tells; stops nothing and removes nothing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { homeAt as daemonHomeAt, ownerOf } from '@makima/daemon/home';
import type { Home } from './home.ts';

/** Where a daemon keeps its things when it is told nothing else, or what it is told. */
const standingFolder = (env: NodeJS.ProcessEnv): string =>
  resolve(env.MAKIMA_DAEMON_HOME || join(homedir(), '.makima', 'daemon'));

/** What is told of a machine outside this home; undefined where there is none. */
export const machineBeside = (home: Home, env: NodeJS.ProcessEnv): string | undefined => {
  const folder = standingFolder(env);
  if (`${folder}/`.startsWith(`${home.root}/`) || !isDaemonFolder(folder)) return undefined;
  return leftAt(folder, folder);
};

/** The reason why this part of the home stays: a daemon that was started by hand lives in it. */
export const livesIn = (part: string): string | undefined => {
  const at = foldersOf(part).find((folder) => runningAt(folder) !== undefined);
  return at === undefined ? undefined : leftAt(part, at);
};

/** The machines that were joined by hand in this part of the home, each as it is told. */
export const machinesIn = (part: string): string[] =>
  foldersOf(part)
    .filter(isDaemonFolder)
    .map((folder) => leftAt(folder, folder));

/** A part of the home, and the folders in it. */
const foldersOf = (part: string): string[] => {
  if (!existsSync(part)) return [];
  const entries = readdirSync(part, { withFileTypes: true });
  return [
    part,
    ...entries.flatMap((entry) => (entry.isDirectory() ? [join(part, entry.name)] : [])),
  ];
};

/** Why `left` stays: the machine in `folder`, and the commands that end it. */
const leftAt = (left: string, folder: string): string =>
  `left ${left}, ${runningAt(folder) ?? 'of a daemon that was joined by hand and does not run'}: it may hold work that is not merged.\n  ${endOf(folder)}`;

const isDaemonFolder = (folder: string): boolean =>
  ['key', 'daemon.lock', 'git', 'journal'].some((name) => existsSync(join(folder, name)));

const runningAt = (folder: string): string | undefined => {
  const pid = ownerOf(daemonHomeAt(folder));
  if (pid === null) return undefined;
  const agents = agentsAt(folder);
  const words = agents === 0 ? '' : agents === 1 ? ' with an agent' : ` with ${agents} agents`;
  return `of a daemon that was started by hand and still runs${words} (process ${pid})`;
};

const agentsAt = (folder: string): number => {
  try {
    const text = readFileSync(daemonHomeAt(folder).statusFile, 'utf8');
    const { running } = JSON.parse(text) as { running?: unknown };
    return Array.isArray(running) ? running.length : 0;
  } catch {
    return 0;
  }
};

/** The commands, in order. */
const endOf = (folder: string): string => {
  const pid = ownerOf(daemonHomeAt(folder));
  const removes = `rm -r -- '${folder.replaceAll("'", `'\\''`)}'   forgets it and its work`;
  return pid === null ? removes : `kill ${pid}   stops it, as Ctrl-C does; then ${removes}`;
};
