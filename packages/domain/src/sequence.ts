/**
 * Numbers between two sides that may both forget: commands to a daemon, its reports back. Who sends knows how
 * far the other is, who takes knows how far it came, and a reconnect is an exchange of the two.
 *
 * Law: nothing is acked that was not sent, nothing taken twice, nothing left out: what is not acked goes again
 * and what is known is passed over. However frames are lost, doubled, late or out of order.
 */

/** How far a sender is. `ackedSeq <= sentSeq <= highestSeq`. */
export interface Cursor {
  readonly ackedSeq: number;
  /** What goes next comes after this; falls back to the ack when everything goes again. */
  readonly sentSeq: number;
  /** The highest that ever went to this peer; no ack beyond it is believed. */
  readonly highestSeq: number;
}

/** A peer that says itself how far it is. */
export const cursorAt = (seq: number): Cursor => ({
  ackedSeq: seq,
  sentSeq: seq,
  highestSeq: seq,
});

export function afterSend(cursor: Cursor, lastSeq: number): Cursor {
  const sentSeq = Math.max(cursor.sentSeq, lastSeq);
  return { ...cursor, sentSeq, highestSeq: Math.max(cursor.highestSeq, sentSeq) };
}

/** An ack that is old or that nobody can have earned changes nothing beyond what was sent. */
export function afterAck(cursor: Cursor, seq: number): Cursor {
  const ackedSeq = Math.max(cursor.ackedSeq, Math.min(seq, cursor.highestSeq));
  return { ...cursor, ackedSeq, sentSeq: Math.max(cursor.sentSeq, ackedSeq) };
}

/** The ack is overdue: everything after the last one goes again. */
export const rewound = (cursor: Cursor): Cursor => ({ ...cursor, sentSeq: cursor.ackedSeq });

export interface Numbered<T> {
  readonly seq: number;
  readonly item: T;
}

/** Items in the order of their numbers; nothing that is still to be taken lies between `after` and the last. */
export interface Run<T> {
  readonly after: number;
  readonly items: readonly Numbered<T>[];
}

/** Runs that came too early and wait; more are let go, for they are sent again. */
export const earlyRunsMax = 64;

/** What is to be taken now, in order, and which runs wait for one that is still under way. */
export function takeRuns<T>(
  takenSeq: number,
  runs: readonly Run<T>[],
): { readonly fresh: readonly Numbered<T>[]; readonly early: readonly Run<T>[] } {
  let taken = takenSeq;
  const fresh: Numbered<T>[] = [];
  const early: Run<T>[] = [];
  for (const run of runs.toSorted((a, b) => a.after - b.after)) {
    if (run.after > taken) {
      early.push(run);
      continue;
    }
    for (const one of run.items) {
      if (one.seq <= taken) continue;
      fresh.push(one);
      taken = one.seq;
    }
  }
  return { fresh, early: early.slice(0, earlyRunsMax) };
}

/** A frame of reports against what is stored. */
export type FrameVerdict =
  /** It came over a connection that a newer one has replaced. */
  | { readonly kind: 'old_session' }
  | { readonly kind: 'gap'; readonly fromSeq: number; readonly toSeq: number }
  /** All of it is stored already: acked again. */
  | { readonly kind: 'known' }
  /** Stored from its report number `skip` on, counted from 0; then everything up to `endSeq` is. */
  | { readonly kind: 'fresh'; readonly skip: number; readonly endSeq: number };

export function judgeFrame(
  held: { readonly appliedSeq: number; readonly sessionEpoch: number | undefined },
  frame: { readonly sessionEpoch: number; readonly fromSeq: number; readonly count: number },
): FrameVerdict {
  if (held.sessionEpoch !== frame.sessionEpoch) return { kind: 'old_session' };
  const { appliedSeq } = held;
  if (frame.fromSeq > appliedSeq + 1)
    return { kind: 'gap', fromSeq: appliedSeq + 1, toSeq: frame.fromSeq - 1 };
  const endSeq = frame.fromSeq + frame.count - 1;
  if (endSeq <= appliedSeq) return { kind: 'known' };
  return { kind: 'fresh', skip: appliedSeq + 1 - frame.fromSeq, endSeq };
}

/** The store and this journal tell two stories: one of them was set back to an earlier time. */
export function isOtherHistory(
  journal: { readonly ackedSeq: number; readonly lastReportSeq: number },
  appliedSeq: number,
): boolean {
  return appliedSeq < journal.ackedSeq || appliedSeq > journal.lastReportSeq;
}
