/**
 * Hints between processes: "look there, something may have changed". Best effort both ways, because
 * whoever is woken reads the truth and scans anyway.
 *
 * Law: publishing never throws and never waits. A subscription survives every reconnect; after each, every
 * listener is called once with `missed`, since what was published in between is gone.
 */
import type { Hint } from '@makima/contracts/channels';
import type { Heard } from './heard.ts';
import { createPublisher } from './publisher.ts';
import type { Bus } from './queues.ts';
import { openSubscriber, type Subscriber } from './subscriber.ts';

/** Must return quickly and not throw; what it throws is logged. */
export type HintListener = (heard: Heard) => void;

export interface PubSub {
  /** Send hints after a commit. What is published in one turn of the event loop goes out in one round trip. */
  publish(hints: readonly Hint[]): void;
  /**
   * Listen to a channel. Resolves when Redis confirmed, or after a second without Redis (then `missed` comes
   * with the connection). Subscribe first, read the truth second.
   */
  subscribe(channel: string, listener: HintListener): Promise<Unsubscribe>;
  /** Stop listening and send what waits. Twice is fine. */
  close(): Promise<void>;
}

/** Calling it twice is fine. */
export type Unsubscribe = () => void;

/** Hints of this process. Opens its subscriber connection with the first subscription. */
export function openPubSub(bus: Bus): PubSub {
  const { log } = bus.inner;
  const listeners = new Map<string, Set<HintListener>>();
  const publisher = createPublisher(bus);
  let subscriber: Subscriber | undefined;
  let closed = false;

  const tell = (heard: Heard): void => {
    for (const listener of listeners.get(heard.channel) ?? []) {
      try {
        listener(heard);
      } catch (error) {
        log.error({ err: error, channel: heard.channel }, 'hint listener failed');
      }
    }
  };

  return {
    publish(hints) {
      if (!closed) publisher.push(hints);
    },
    async subscribe(channel, listener) {
      if (closed) return () => undefined;
      subscriber ??= openSubscriber({ bus, wanted: () => [...listeners.keys()], tell });
      const own: HintListener = (heard) => listener(heard);
      const known = listeners.get(channel);
      if (known) known.add(own);
      else listeners.set(channel, new Set([own]));
      await subscriber.confirmed(channel);
      return () => {
        const group = listeners.get(channel);
        if (!group?.delete(own) || group.size > 0) return;
        listeners.delete(channel);
        subscriber?.leave(channel);
      };
    },
    async close() {
      closed = true;
      listeners.clear();
      await publisher.drain();
      await subscriber?.close();
    },
  };
}
