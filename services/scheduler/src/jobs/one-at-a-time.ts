/**
 * Coalesces calls about the same thing: one run at a time for each key, and one more after it for all that
 * came meanwhile. A thousand tickets in a second are two runs, not a pile.
 *
 * Law: a call resolves only with a run that began after it was made, so that it saw what the caller wrote.
 */

interface Lane {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

/** `work` is run for a key; calls of different keys do not wait for each other. */
export function oneAtATime(work: (key: string) => Promise<void>): (key: string) => Promise<void> {
  const lanes = new Map<string, Lane>();

  const start = (key: string): Promise<void> => {
    const running = work(key);
    const lane: Lane = { running, next: undefined };
    lanes.set(key, lane);
    const settled = (): void => {
      if (lane.next === undefined) lanes.delete(key);
    };
    running.then(settled, settled);
    return running;
  };
  return (key) => {
    const lane = lanes.get(key);
    if (lane === undefined) return start(key);
    // A run that fails fails for those who waited for it, not for those who came later.
    lane.next ??= lane.running.then(
      () => start(key),
      () => start(key),
    );
    return lane.next;
  };
}
