/**
 * Frames of one socket, handled one after the other. When too much waits, the socket is not read any more;
 * the daemon's own journal holds what it did not get rid of.
 *
 * Law: order is kept, memory is bounded, and whoever stops drops what did not begin: it was not acked.
 */

export interface InOrder<T> {
  push(item: T, bytes: number): void;
  /** Drop what waits; resolves when the running one has ended. */
  stop(): Promise<void>;
}

export interface InOrderOptions<T> {
  /** Must not throw. */
  readonly handle: (item: T) => Promise<void>;
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Called when more waits than may, and when half of it is done. */
  readonly onFull: () => void;
  readonly onRoom: () => void;
}

export function inOrder<T>(options: InOrderOptions<T>): InOrder<T> {
  const { maxItems, maxBytes } = options;
  let queue: { readonly item: T; readonly bytes: number }[] = [];
  let queuedBytes = 0;
  let full = false;
  let stopped = false;
  let running: Promise<void> | undefined;

  const look = (): void => {
    if (!full && (queue.length >= maxItems || queuedBytes >= maxBytes)) {
      full = true;
      options.onFull();
    } else if (full && queue.length <= maxItems / 2 && queuedBytes <= maxBytes / 2) {
      full = false;
      options.onRoom();
    }
  };
  const run = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !stopped; next = queue.shift()) {
      queuedBytes -= next.bytes;
      look();
      await options.handle(next.item);
    }
    running = undefined;
  };
  return {
    push(item, bytes) {
      if (stopped) return;
      queue.push({ item, bytes });
      queuedBytes += bytes;
      look();
      running ??= run();
    },
    async stop() {
      stopped = true;
      queue = [];
      await running;
    },
  };
}
