/**
 * How far one part of a clean-up is: the delivery of the branch, or the working directory of a task. One that
 * failed is owed again, in a new operation, until it has been tried often enough.
 *
 * Law: only what a daemon reported as done is done.
 */
import type { OperationRow } from '@makima/db/rows';

/** The first try and three more. */
export const cleanupTriesMax = 4;

export type Stand =
  | { readonly step: 'done' | 'owed' | 'under_way' }
  | { readonly step: 'given_up'; readonly failed: OperationRow };

/** Failures before `since` are of an earlier end of the contract, which a person has looked at. */
export function standOf(operations: readonly OperationRow[], since: Date): Stand {
  if (operations.some((operation) => operation.state === 'done')) return { step: 'done' };
  if (operations.some((operation) => operation.state === 'pending')) return { step: 'under_way' };
  const failed = operations.filter((operation) => operation.requestedAt >= since);
  const last = failed.at(-1);
  if (last === undefined || failed.length < cleanupTriesMax) return { step: 'owed' };
  return { step: 'given_up', failed: last };
}
