// The events of a contract as they come, to wait for and to look back on.
// Why: a test that waits for a fact is quick where one that sleeps is slow or wrong.
// Law: every wait ends: with the event, or with a refusal that tells the last thing that happened.
import { followEvents } from '@makima/client/follow-events';
import type { Client } from '@makima/client/client';
import type { Event, EventType } from '@makima/contracts/entity/event';

export type Fits = (event: Event) => boolean;

export interface Story {
  readonly contractId: string;
  readonly events: readonly Event[];
  /** The first event of this type, past or to come, that fits. */
  until(type: EventType, fits?: Fits): Promise<Event>;
  /** So many events of this type that fit, past or to come. */
  untilMany(type: EventType, count: number, fits?: Fits): Promise<readonly Event[]>;
  /** The contract has come to an end: its last status. */
  end(): Promise<string>;
  close(): void;
}

const patienceMs = 30_000;
const ends: ReadonlySet<unknown> = new Set(['completed', 'failed', 'archived']);

export function followStory(client: Client, contractId: string): Story {
  const events: Event[] = [];
  const lookers = new Set<() => void>();
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    for await (const event of followEvents(client, { contractId, signal: stop.signal })) {
      events.push(event);
      for (const look of lookers) look();
    }
  };
  void read().catch((error: unknown) => {
    if (!stop.signal.aborted) process.stderr.write(`the story broke off: ${String(error)}\n`);
  });
  const untilMany: Story['untilMany'] = (type, count, fits = () => true) =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        lookers.delete(look);
      };
      const look = (): void => {
        const found = events.filter((event) => event.type === type && fits(event));
        if (found.length < count) return;
        leave();
        resolve(found.slice(0, count));
      };
      const timer = setTimeout(() => {
        leave();
        reject(
          new Error(`no ${count} x ${type} in ${patienceMs} ms; it ended so:\n${tail(events)}`),
        );
      }, patienceMs);
      lookers.add(look);
      look();
    });
  const until: Story['until'] = async (type, fits) => {
    const [event] = await untilMany(type, 1, fits);
    if (event === undefined) throw new Error(`no ${type}`);
    return event;
  };
  return {
    contractId,
    events,
    until,
    untilMany,
    async end() {
      const last = await until('contract.status_changed', ({ data }) => ends.has(data['to']));
      return String(last.data['to']);
    },
    close: () => stop.abort(),
  };
}

/** The end of a story in short lines, for the message of a failure. */
function tail(events: readonly Event[]): string {
  return events
    .slice(-15)
    .map(({ seq, type, data }) => `  ${seq} ${type} ${JSON.stringify(data).slice(0, 200)}`)
    .join('\n');
}
