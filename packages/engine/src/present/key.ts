/** Keys and daemons as the wire shows them; never a hash or a secret. */
import type { z } from 'zod';
import type { Daemon, zKey } from '@makima/contracts/entity/daemon';
import type { AgentLimitRow, DaemonRow, KeyRow } from '@makima/db/rows';
import { accountOf } from '../limit/account.ts';

export type KeyInfo = z.infer<typeof zKey>;

export function presentKey(row: KeyRow): KeyInfo {
  return {
    id: row.id,
    kind: row.kind as KeyInfo['kind'],
    name: row.name,
    scopes: row.scopes as KeyInfo['scopes'],
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}

/** `limits`: those of its owner that hold. */
export function presentDaemon(
  row: DaemonRow,
  running: number,
  limits: readonly AgentLimitRow[],
): Daemon {
  return {
    id: row.id,
    name: row.name,
    host: row.host,
    version: row.version,
    status: row.status as Daemon['status'],
    sessionEpoch: row.sessionEpoch,
    currentTaskCount: running,
    maxConcurrentTasks: row.maxConcurrentTasks,
    agents: row.agents,
    limits: limits
      .filter(({ agent, account }) => account === accountOf(row, agent))
      .map(({ agent, until, window }) => ({ agent, until: until.toISOString(), window })),
    connectedAt: row.connectedAt?.toISOString() ?? null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  };
}
