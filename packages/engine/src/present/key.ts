/** Keys and daemons as the wire shows them; never a hash or a secret. */
import type { z } from 'zod';
import type { Daemon, zKey } from '@makima/contracts/entity/daemon';
import type { DaemonRow, KeyRow } from '@makima/db/rows';

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

export function presentDaemon(row: DaemonRow, running: number): Daemon {
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
    connectedAt: row.connectedAt?.toISOString() ?? null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  };
}
