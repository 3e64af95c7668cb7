/**
 * Work of which only the newest is worth doing: a heartbeat, an ack. One at a time; what comes meanwhile
 * replaces what waits.
 *
 * Law: bounded by two values, whatever a peer sends.
 */

export interface Latest<T> {
  push(value: T): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

/** `work` must not throw; `replaced` is told of what gave way before its turn. */
export function latest<T>(
  work: (value: T) => Promise<void>,
  replaced: (value: T) => void = () => {},
): Latest<T> {
  let waiting: { readonly value: T } | undefined;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    while (waiting !== undefined) {
      const { value } = waiting;
      waiting = undefined;
      await work(value);
    }
    running = undefined;
  };
  return {
    push(value) {
      if (waiting !== undefined) replaced(waiting.value);
      waiting = { value };
      running ??= run();
    },
    idle: async () => running,
  };
}
