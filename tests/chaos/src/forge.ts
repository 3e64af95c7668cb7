// A forge for remote repositories without a network: `ssh` on the PATH of daemons runs git's own server here.
// Why: git speaks its whole protocol with it, so remote repositories are fetched as from anywhere.
// Law: it serves what the command line of git asks for and nothing else.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Forge {
  /** To be put before the PATH of a daemon. */
  readonly bin: string;
  /** The address of a repository in this folder. */
  urlOf(repository: string): string;
}

/** The host of every address, to be allowed by name. */
export const forgeHost = 'localhost';

const ssh = `#!/bin/sh
for last; do :; done
case "$last" in
  "git-upload-pack '"*) exec sh -c "$last" ;;
  *) echo "this forge serves fetches only" >&2; exit 1 ;;
esac
`;

export function makeForge(dir: string): Forge {
  const bin = join(dir, 'forge-bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'ssh'), ssh);
  chmodSync(join(bin, 'ssh'), 0o755);
  return { bin, urlOf: (repository) => `ssh://git@${forgeHost}${repository}` };
}
