/**
 * Puts the `makima` command on the PATH of this machine's agents: a small program in the daemon's own folder
 * that runs the command line with the Node that runs the daemon.
 *
 * Why: an agent's shell knows neither where makima lies nor which Node it needs.
 * Law: it carries no key; what it may do is what the agent's run may do, and without the token of a run it does
 * nothing: on a person's own machine the command line would go on with that person's key. Without a command line beside the
 * daemon agents go on with their tools, and the log says so.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Log } from '@makima/runtime/log';
import type { DaemonConfig } from './config.ts';
import type { Home } from './home.ts';

/** The daemon's environment with the folder of the command first on its PATH: what drivers pass on. */
export async function withMakima(
  { cliPath, environment }: Pick<DaemonConfig, 'cliPath' | 'environment'>,
  { bin }: Pick<Home, 'bin'>,
  log: Log,
): Promise<NodeJS.ProcessEnv> {
  if (!existsSync(cliPath)) {
    log.warn({ cliPath }, 'there is no makima command for agents: they have their tools alone');
    return environment;
  }
  const program = join(bin, 'makima');
  await mkdir(bin, { recursive: true, mode: 0o700 });
  // Whole or not at all: an agent that outlived its daemon for a moment may just be running it.
  const aside = `${program}.${process.pid}`;
  await writeFile(aside, `${guard}exec ${quoted(process.execPath)} ${quoted(cliPath)} "$@"\n`);
  await chmod(aside, 0o555);
  await rename(aside, program);
  const { PATH: path } = environment;
  return { ...environment, PATH: path ? `${bin}${delimiter}${path}` : bin };
}

/** Some kinds of agents keep variables that look like secrets out of the shells that they open. */
const guard = `#!/bin/sh
case "\${MAKIMA_URL:+there}\${MAKIMA_TOKEN-}" in
  theremkrun_?*) ;;
  *)
    echo 'makima: this shell has no token of a run (MAKIMA_URL, MAKIMA_TOKEN); use the tools of makima' >&2
    exit 4
    ;;
esac
`;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
