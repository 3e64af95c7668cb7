/**
 * Whether a monitor with this filter is told this fact.
 *
 * Law: pure, and by what was true when the fact came about, so that a reader who comes late is told the same
 * as one who was there.
 */
import type { ContractStatus } from './contract.ts';

export interface MonitorWish {
  /** Undefined: every contract. */
  readonly contractIds: ReadonlySet<string> | undefined;
  /** Undefined: whatever the status. */
  readonly statuses: ReadonlySet<ContractStatus> | undefined;
  readonly stale: boolean;
  readonly heartbeats: boolean;
}

export interface MonitorFactAbout {
  readonly kind: 'stale' | 'heartbeat' | 'other';
  readonly contractId: string;
  /** The contract's status when it happened; of a change, the new one. */
  readonly status: ContractStatus;
  /** Only of a change of status: the one that was left. */
  readonly leftStatus: ContractStatus | null;
}

export function isMonitored(wish: MonitorWish, fact: MonitorFactAbout): boolean {
  if (fact.kind === 'stale' && !wish.stale) return false;
  if (fact.kind === 'heartbeat' && !wish.heartbeats) return false;
  if (wish.contractIds !== undefined && !wish.contractIds.has(fact.contractId)) return false;
  if (wish.statuses === undefined || wish.statuses.has(fact.status)) return true;
  return fact.leftStatus !== null && wish.statuses.has(fact.leftStatus);
}
