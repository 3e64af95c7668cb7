// The account under which Postgres runs: it refuses to be root.
// Why: people start makima as root in containers; nobody should have to create a user for that.
// Law: files that an account made are opened by the same account again.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface PostgresAccount {
  /** Put before the command line. */
  prefix: readonly string[];
  /** Set when the process changes its user; the data folder must belong to it. */
  uid?: number;
  gid?: number;
}

const namespacePrefix = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'];

/** Whether this root may make a user namespace, in which Postgres sees itself as an ordinary user. */
export const canUnshare = (): boolean =>
  spawnSync(namespacePrefix[0]!, [...namespacePrefix.slice(1), 'true']).status === 0;

/** Chooses the account for a data folder, which need not exist yet. */
export const choosePostgresAccount = (dataDir: string): PostgresAccount => {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const owner = statSync(dataDir, { throwIfNoEntry: false })?.uid;
  if (owner !== undefined && owner !== 0) return { prefix: [], ...entryOf(String(owner)) };
  if (canUnshare()) return { prefix: namespacePrefix };
  return { prefix: [], ...(findEntry('postgres') ?? entryOf('nobody')) };
};

const entryOf = (nameOrUid: string): { uid: number; gid: number } => {
  const entry = findEntry(nameOrUid);
  if (entry) return entry;
  throw new Error(
    `Postgres does not run as root, and neither a user namespace nor the user ${nameOrUid} is there: start makima as an ordinary user`,
  );
};

const findEntry = (nameOrUid: string): { uid: number; gid: number } | undefined => {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === nameOrUid || uid === nameOrUid) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
};

const enterable = 0o001;

/**
 * Gives a folder to the account and sees to it that the account can reach it and the binaries.
 * Does nothing for an account that stays who it is. Throws one line when a folder above is closed.
 */
export const handOver = (account: PostgresAccount, dir: string, binary: string): void => {
  const { uid, gid } = account;
  if (uid === undefined || gid === undefined) return;
  chownSync(dir, uid, gid);
  // The folder above is makima's own: others may pass through it, not look around in it.
  const above = dirname(dir);
  chmodSync(above, statSync(above).mode | enterable);
  for (const path of [above, dirname(binary)]) {
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      if ((statSync(at).mode & enterable) !== 0) continue;
      throw new Error(
        `Postgres cannot run as root and another user cannot enter ${at}: start makima as an ordinary user, or move it out of there`,
      );
    }
  }
};
