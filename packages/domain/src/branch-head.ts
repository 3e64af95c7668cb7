/**
 * Whether a move of a contract's branch begins where the branch was known to stand. Every machine has a copy of the
 * branch; the moves that the control plane took are the branch, whatever a copy says.
 *
 * Law: a move that leaves out what was merged before is never taken.
 */
import type { BranchMove } from './evidence.ts';

/** As a machine tells of it. */
export interface ToldMove extends BranchMove {
  /** The head that the machine was told to hold before it merged. */
  readonly onto?: string | undefined;
}

/** The step that the branch makes; null when the move left the branch behind. `known`: its last head, null before any. */
export function stepOf(known: string | null, move: ToldMove): BranchMove | null {
  const { from, to, changed, complete } = move;
  if (known === null || from === known) return { from, to, changed, complete };
  // It holds the head, and steps beside that nobody told of: what those changed is not known.
  if (move.onto === known) return { from: known, to, changed, complete: false };
  return null;
}
