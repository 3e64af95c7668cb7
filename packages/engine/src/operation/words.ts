/** Why an operation failed, in one line for people: what happened and what to do about it. */
import type { OperationError } from '@makima/contracts/socket/reports';

export function wordsOf(error: OperationError | null): string | null {
  if (error === null) return null;
  return error.fix === undefined ? error.message : `${error.message}. ${error.fix}`;
}
