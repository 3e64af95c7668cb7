/**
 * The sending half of the hints: what one turn of the event loop publishes goes out as one pipeline, the
 * same hint twice goes out once.
 *
 * Law: never throws, never waits, never keeps more than a bounded number; what Redis does not take at once
 * is counted as lost.
 */
import type { Hint } from '@makima/contracts/channels';
import type { Bus } from './queues.ts';

export interface Publisher {
  push(hints: readonly Hint[]): void;
  /** Send what waits and wait for the answers (which have their own time limit). */
  drain(): Promise<void>;
}

const maxPending = 10_000;
const maxBodyBytes = 1_024;

export function createPublisher(bus: Bus): Publisher {
  const { redis, metrics, log } = bus.inner;
  const sent = metrics.counter({
    name: 'makima_hints_published_total',
    help: 'Hints by outcome (ok, lost).',
    labels: ['outcome'],
  });
  let pending = new Map<string, Hint>();
  let scheduled = false;
  let flying: Promise<void> = Promise.resolve();

  const send = async (hints: readonly Hint[]): Promise<void> => {
    try {
      if (!bus.ready) throw new Error('redis is not connected');
      const pipeline = redis.pipeline();
      for (const hint of hints) pipeline.publish(hint.channel, hint.body);
      const results = (await pipeline.exec()) ?? [];
      const lost = results.filter(([error]) => error).length;
      sent.inc({ outcome: 'ok' }, results.length - lost);
      if (lost > 0) sent.inc({ outcome: 'lost' }, lost);
    } catch (error) {
      sent.inc({ outcome: 'lost' }, hints.length);
      log.debug({ err: error, hints: hints.length }, 'hints lost');
    }
  };
  const flush = (): void => {
    scheduled = false;
    const hints = [...pending.values()];
    pending = new Map();
    if (hints.length === 0) return;
    const sending = send(hints);
    flying = Promise.all([flying, sending]).then(() => undefined);
  };

  return {
    push(hints) {
      for (const hint of hints) {
        const tooBig = Buffer.byteLength(hint.body) > maxBodyBytes;
        if (tooBig || pending.size >= maxPending) sent.inc({ outcome: 'lost' });
        else pending.set(`${hint.channel}\n${hint.body}`, hint);
      }
      if (scheduled || pending.size === 0) return;
      scheduled = true;
      setImmediate(flush);
    },
    async drain() {
      flush();
      await flying;
    },
  };
}
