// One stack per home: the lock that a start takes and keeps while it runs.
// Why: two stacks on one Postgres folder would fight over it.
// Law: a lock whose owner is dead is nobody's; clearing it never takes away a living owner's lock.
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

export type LockResult =
  | { taken: true; release: () => void }
  | { taken: false; owner: ProcessIdentity };

/** Takes the lock of a home for this process, or names the living process that holds it. */
export const takeStartLock = (home: Home): LockResult => {
  const file = join(home.run, 'stack.lock');
  const mine = identify(process.pid)!;
  const draft = join(home.run, `lock-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (;;) {
      if (linkAs(draft, file)) {
        return { taken: true, release: () => releaseLock(file, mine) };
      }
      const owner = readOwner(file);
      if (owner && isAlive(owner)) return { taken: false, owner };
      clearStale(file, owner);
    }
  } finally {
    rmSync(draft, { force: true });
  }
};

/** Who holds the lock of a home now. */
export const lockOwner = (home: Home): ProcessIdentity | undefined => {
  const owner = readOwner(join(home.run, 'stack.lock'));
  return owner && isAlive(owner) ? owner : undefined;
};

const releaseLock = (file: string, mine: ProcessIdentity): void => {
  if (sameProcess(readOwner(file), mine)) rmSync(file, { force: true });
};

const linkAs = (draft: string, file: string): boolean => {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

/** Moves the lock aside before it is deleted: if another start was faster, its lock goes back. */
const clearStale = (file: string, stale: ProcessIdentity | undefined): void => {
  const aside = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (!sameProcess(readOwner(aside), stale)) linkAs(aside, file);
  rmSync(aside, { force: true });
};

const readOwner = (file: string): ProcessIdentity | undefined => {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
    return { pid, startTime };
  } catch {
    return undefined;
  }
};

const sameProcess = (a: ProcessIdentity | undefined, b: ProcessIdentity | undefined): boolean =>
  a?.pid === b?.pid && a?.startTime === b?.startTime;
