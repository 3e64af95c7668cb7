/**
 * The heartbeat: one frame for everything that runs here. Its answer renews the leases, counted from the
 * moment the beat was sent, since the server may have answered at once and the answer taken its time.
 *
 * Law: an answer is good for the beat it names and for no later one; no answer for `silentMs` means that the
 * connection is dead, whatever the operating system believes.
 */

export interface Heart {
  /** The number of the beat that is sent now. */
  beat(nowMs: number): number;
  /** When the named beat was sent; null when it is unknown or was answered before. */
  answered(beat: number): number | null;
  /** How long the oldest beat without an answer has been waiting. */
  silentFor(nowMs: number): number;
  /** A new connection: old beats get no answer any more. */
  reset(): void;
}

export function createHeart(): Heart {
  const sent = new Map<number, number>();
  let next = 0;
  return {
    beat(nowMs) {
      const beat = next;
      next += 1;
      sent.set(beat, nowMs);
      return beat;
    },
    answered(beat) {
      const at = sent.get(beat) ?? null;
      if (at === null) return null;
      for (const earlier of sent.keys()) if (earlier <= beat) sent.delete(earlier);
      return at;
    },
    silentFor(nowMs) {
      for (const at of sent.values()) return nowMs - at;
      return 0;
    },
    reset: () => sent.clear(),
  };
}
