/**
 * Operations on many contracts at once (M1.11): which contracts each is about, unless it is told otherwise.
 *
 * Law: an operation only ever touches contracts of its own statuses, whatever filter it is given; without one, a
 * pause also ends at once what an earlier pause lets end its turn.
 */
import type { ContractStatus } from './contract.ts';

export const batchOperations = [
  'archive_old',
  'pause_all',
  'resume_all',
  'cleanup_archived',
  'restart_stale',
  'clean_worktrees',
] as const;

export type BatchOperation = (typeof batchOperations)[number];

interface BatchRule {
  readonly statuses: readonly ContractStatus[];
  /** How long ago a contract must have come to its status; null: it does not matter. */
  readonly olderThanHours: number | null;
  readonly only: 'all' | BatchOnly;
  /** Also those that are paused while their agents still end their turns: these are hurried. */
  readonly hurries?: true;
}

/** `stale`: its supervisor has made no progress for long; `leftovers`: a machine failed to clean up after it. */
export type BatchOnly = 'stale' | 'leftovers';

export const batchRules: Readonly<Record<BatchOperation, BatchRule>> = {
  archive_old: { statuses: ['completed', 'failed'], olderThanHours: 168, only: 'all' },
  pause_all: {
    statuses: ['active', 'waiting_for_input'],
    olderThanHours: null,
    only: 'all',
    hurries: true,
  },
  resume_all: { statuses: ['paused'], olderThanHours: null, only: 'all' },
  cleanup_archived: { statuses: ['archived'], olderThanHours: 720, only: 'all' },
  restart_stale: { statuses: ['active'], olderThanHours: null, only: 'stale' },
  clean_worktrees: {
    statuses: ['completed', 'failed', 'archived'],
    olderThanHours: null,
    only: 'leftovers',
  },
};

export interface BatchSelection {
  readonly statuses: readonly ContractStatus[];
  readonly olderThanHours: number;
  readonly only: 'all' | BatchOnly;
  readonly hurries: boolean;
}

export type BatchVerdict =
  | { readonly ok: true; readonly selection: BatchSelection }
  | { readonly ok: false; readonly reason: string };

/** Most contracts that one call touches; the rest is told. */
export const batchMax = 500;

/** What an operation is about, narrowed by a filter and an age. */
export function batchSelection(
  operation: BatchOperation,
  wish: {
    readonly statusFilter?: readonly ContractStatus[] | undefined;
    readonly olderThanHours?: number | undefined;
    /** Agents may end their turns first. */
    readonly finishTurnSeconds?: number | undefined;
  },
): BatchVerdict {
  const rule = batchRules[operation];
  const wrong = wish.statusFilter?.filter((status) => !rule.statuses.includes(status)) ?? [];
  if (wrong.length > 0) {
    const theirs = rule.statuses.join(', ');
    return {
      ok: false,
      reason: `${operation} is about contracts that are ${theirs}, not ${wrong.join(', ')}.`,
    };
  }
  return {
    ok: true,
    selection: {
      statuses: wish.statusFilter ?? rule.statuses,
      olderThanHours: wish.olderThanHours ?? rule.olderThanHours ?? 0,
      only: rule.only,
      hurries:
        rule.hurries === true &&
        wish.statusFilter === undefined &&
        wish.finishTurnSeconds === undefined,
    },
  };
}
