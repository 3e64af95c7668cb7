/**
 * Whose usage limits an agent shares: what its daemon calls the account, else the daemon's own, so that nobody
 * is held back by a limit that is not theirs.
 */
import type { DaemonRow } from '@makima/db/rows';

export function accountOf(daemon: Pick<DaemonRow, 'id' | 'agents'>, agent: string): string {
  const told = daemon.agents.find(({ kind }) => kind === agent)?.account;
  return told ?? `daemon:${daemon.id}`;
}
