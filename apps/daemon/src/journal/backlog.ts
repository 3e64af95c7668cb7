/**
 * Where the reports stand that the server has not acked: seq → place on the disk, and the text of the latest
 * ones in memory, so that a report is read back only when its sending fell behind its writing.
 *
 * Law: memory is bounded by `cacheChars` however long the backlog is.
 */

export interface ReportPlace {
  readonly segment: number;
  /** Position and bytes of the report's JSON in the segment. */
  readonly offset: number;
  readonly length: number;
}

const cacheChars = 4 * 1024 * 1024;

export interface Backlog {
  /** Bytes of all reports that wait for their ack. */
  readonly bytes: number;
  add(seq: number, place: ReportPlace, body: string | null): void;
  /** Place and, when it is still in memory, text of a report. */
  find(seq: number): { readonly place: ReportPlace; readonly body: string | null } | null;
  /** Forgets everything up to `seq`. */
  ack(seq: number): void;
  /** The segment of the oldest report that is left; null when none is. */
  oldestSegment(): number | null;
  /** The number of the oldest report that is left; null when none is. */
  oldestSeq(): number | null;
}

export function createBacklog(): Backlog {
  const places = new Map<number, ReportPlace>();
  const cache = new Map<number, string>();
  let cached = 0;
  let bytes = 0;

  const uncache = (seq: number): void => {
    const body = cache.get(seq);
    if (body === undefined) return;
    cached -= body.length;
    cache.delete(seq);
  };

  return {
    get bytes() {
      return bytes;
    },
    add(seq, place, body) {
      places.set(seq, place);
      bytes += place.length;
      if (body === null) return;
      cache.set(seq, body);
      cached += body.length;
      for (const oldest of cache.keys()) {
        if (cached <= cacheChars) return;
        uncache(oldest);
      }
    },
    find(seq) {
      const place = places.get(seq);
      return place === undefined ? null : { place, body: cache.get(seq) ?? null };
    },
    ack(seq) {
      for (const [known, place] of places) {
        if (known > seq) return;
        places.delete(known);
        bytes -= place.length;
        uncache(known);
      }
    },
    oldestSegment() {
      for (const place of places.values()) return place.segment;
      return null;
    },
    oldestSeq() {
      for (const seq of places.keys()) return seq;
      return null;
    },
  };
}
