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
  const line = waitingLine<T>();
  let closed = false;
  let held = false;
  let bounded = true;
  let wake: (() => void) | null = null;

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
  const next = async (): Promise<IteratorResult<T>> => {
    for (;;) {
      if (line.size() > 0) {
        const value = line.shift();
        if (line.size() <= options.capacity / 2) release();
        return { done: false, value };
      }
      if (closed) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  return {
    push(event) {
      if (closed) return;
      line.push(event);
      rouse();
      if (bounded && !held && line.size() >= options.capacity) {
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

/** First in, first out, without moving every element at each step. */
function waitingLine<T>() {
  let items: T[] = [];
  let head = 0;
  return {
    size: () => items.length - head,
    push: (item: T) => items.push(item),
    shift(): T {
      const item = items[head] as T;
      head += 1;
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}
