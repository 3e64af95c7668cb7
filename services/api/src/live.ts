/**
 * Events as they happen: a page, a page that waits for its first event, or a stream of server-sent events.
 *
 * Law: all three read the same rows by the same cursor; a stream's event ids are cursors, so whoever lost
 * the connection goes on with `Last-Event-ID` and misses nothing. A stream pulls only as fast as it is read.
 */
import { channels } from '@makima/contracts/channels';
import type { Event } from '@makima/contracts/entity/event';
import { listEvents, type EventPage, type EventsInput } from '@makima/engine/event/list';
import type { Principal } from '@makima/engine/principal';
import { sessionOf } from './auth.ts';
import type { Api } from './context.ts';
import type { ApiCtx } from './request.ts';
import { keyIdOf } from './idempotency.ts';
import type { Answer } from './mount.ts';
import { eventStream, type StreamChunk } from './sse.ts';

/** How long a lost hint delays an event. */
const rereadMs = 5_000;
/** After a hint: an older transaction may still be open and hide the event for a moment. */
const chaseMs = [15, 30, 60, 120, 250, 500, 1_000];
/** How often a stream looks again whether its key still opens it. */
const recheckMs = 3_000;

export interface LiveInput extends EventsInput {
  /** Seconds to hold a request that has nothing to tell. */
  readonly wait: number;
}

interface PageArgs {
  readonly api: Api;
  readonly caller: Principal;
  readonly input: LiveInput;
  readonly signal: AbortSignal;
}

/** One page as JSON. */
export async function eventsPage(
  args: PageArgs,
): Promise<Answer<{ items: Event[]; nextCursor: string | null; cursor: string }>> {
  const { items, nextCursor, cursor } = await heldPage(args, args.input.wait * 1_000);
  return { result: { items, nextCursor, cursor } };
}

async function heldPage(
  { api, caller, input, signal }: PageArgs,
  holdMs: number,
): Promise<EventPage> {
  // `now` is fixed by the first read, so that nothing between two reads is passed over.
  let after = input.after;
  const held = await api.holds.hold({
    holder: keyIdOf(caller),
    channels: [channels.ownerEvents(caller.ownerId)],
    holdMs,
    rereadMs,
    chaseMs,
    signal,
    read: async () => {
      const page = await listEvents(api.engine, caller, { ...input, after });
      if (after === 'now') after = page.cursor;
      return page;
    },
    isOver: (page) => page.items.length > 0,
  });
  return held.value;
}

/** The same as a stream that ends when the caller goes, the key dies, or the process drains. */
export async function eventsStream(c: ApiCtx, api: Api, input: LiveInput): Promise<Response> {
  const { principal, token } = sessionOf(c);
  const after = c.req.header('last-event-id') ?? input.after;
  // The first page is read before the stream begins: a bad cursor is a 400, not a broken stream.
  const first = await listEvents(api.engine, principal, { ...input, after });
  const end = api.holds.open(
    `streams of ${principal.ownerId}`,
    api.engine.limits.monitorSocketsPerOwnerMax,
  );
  const closed = new AbortController();
  const signal = AbortSignal.any([c.req.raw.signal, closed.signal]);
  const source = follow({ api, caller: principal, token, input, first, signal });
  return eventStream(source, {
    socket: c.env.incoming.socket,
    onEnd: () => {
      end();
      closed.abort();
    },
  });
}

interface Following {
  readonly api: Api;
  readonly caller: Principal;
  readonly token: string;
  readonly input: LiveInput;
  readonly first: EventPage;
  readonly signal: AbortSignal;
}

async function* follow(f: Following): AsyncGenerator<StreamChunk> {
  const { api, token, signal } = f;
  let page = f.first;
  yield { comment: 'hello', retryMs: 1_000, id: page.items.length === 0 ? page.cursor : undefined };
  for (;;) {
    for (const [index, event] of page.items.entries()) {
      yield { id: page.cursors[index], event: event.type, data: JSON.stringify(event) };
    }
    if (signal.aborted) return;
    if (api.holds.draining.aborted) {
      yield { comment: 'the server restarts: connect again' };
      return;
    }
    if ((await api.auth.check(token)) === null) {
      yield { event: 'unauthenticated', data: '{"code":"UNAUTHENTICATED"}' };
      return;
    }
    const input = { ...f.input, after: page.cursor };
    page = await heldPage({ ...f, input }, recheckMs);
    if (page.items.length === 0) yield { idle: true };
  }
}
