/**
 * The bounded queue between an agent's output and its one reader.
 *
 * Law: nothing is dropped; when it is full the producer is told and holds the agent's output back. After
 * `unbound()` (a stop has begun, the end is near in time) it takes what still comes without holding back.
 */

export interface EventQueue<T> {
  /** Never refuses; calls `onFull` when the reader has fallen behind. */
  push(event: T): void;
  /** No event comes after this; the reader gets what is queued, then its end. */
  close(): void;
  unbound(): void;
  readonly events: AsyncIterable<T>;
}

export interface EventQueueOptions {
  /** Queued events at which `onFull` is called. */
  readonly capacity: number;
  readonly onFull: () => void;
  /** Called when the reader has caught up to half of the capacity. */
  readonly onDrained: () => void;
}

export function eventQueue<T>(options: EventQueueOptions): EventQueue<T> {
  let queued: T[] = [];
  let head = 0;
  let closed = false;
  let held = false;
  let bounded = true;
  let wake: (() => void) | null = null;

  const size = () => queued.length - head;
  const rouse = () => {
    const waiting = wake;
    wake = null;
    waiting?.();
  };
  const release = () => {
    if (!held) return;
    held = false;
    options.onDrained();
  };
  const take = (): T => {
    const event = queued[head] as T;
    head += 1;
    if (head > 1024 && head * 2 > queued.length) {
      queued = queued.slice(head);
      head = 0;
    }
    if (held && size() <= options.capacity / 2) release();
    return event;
  };

  const next = async (): Promise<IteratorResult<T>> => {
    for (;;) {
      if (size() > 0) return { done: false, value: take() };
      if (closed) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  return {
    push(event) {
      if (closed) return;
      queued.push(event);
      rouse();
      if (bounded && !held && size() >= options.capacity) {
        held = true;
        options.onFull();
      }
    },
    close() {
      closed = true;
      rouse();
    },
    unbound() {
      bounded = false;
      release();
    },
    events: { [Symbol.asyncIterator]: () => ({ next }) },
  };
}
