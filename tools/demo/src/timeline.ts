// The lines of the story in the order in which things happened.
// Why: an event is known at once, an agent's words a moment later; told as they come, an answer would stand
// before what it answers.
// Law: an event waits until what was said before it has come, and never overtakes an older event; words wait
// for nothing but what is older.

type Show = () => void;

export interface Timeline {
  /** `at`: ISO time of what is shown. */
  event(at: string, show: Show): void;
  word(at: string, show: Show): void;
  /** Shows what is due. */
  play(): void;
  /** Shows all that is left. */
  end(): void;
}

interface Entry {
  readonly at: string;
  readonly dueMs: number;
  readonly show: Show;
}

export interface TimelineOptions {
  /** How long words may be on their way. */
  readonly settleMs: number;
  readonly nowMs: () => number;
}

export function createTimeline({ settleMs, nowMs }: TimelineOptions): Timeline {
  const entries: Entry[] = [];
  let lastEventAt = '';
  const put = (entry: Entry): void => {
    const later = entries.findIndex(({ at }) => at > entry.at);
    entries.splice(later === -1 ? entries.length : later, 0, entry);
  };
  const showWhile = (isDue: (entry: Entry) => boolean): void => {
    for (let [next] = entries; next !== undefined && isDue(next); [next] = entries) {
      entries.shift();
      next.show();
    }
  };
  return {
    event(at, show) {
      if (at > lastEventAt) lastEventAt = at;
      put({ at: lastEventAt, dueMs: nowMs() + settleMs, show });
    },
    word: (at, show) => put({ at, dueMs: 0, show }),
    play() {
      const now = nowMs();
      showWhile(({ dueMs }) => dueMs <= now);
    },
    end: () => showWhile(() => true),
  };
}
