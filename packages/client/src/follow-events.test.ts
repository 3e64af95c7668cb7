/** Events are followed without a gap and without a double, whatever the connection does. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Event } from '@makima/contracts/entity/event';
import { MakimaError } from '@makima/domain/error';
import { createClient } from './client.ts';
import { followEvents, followPages, type FollowOptions } from './follow-events.ts';
import {
  startDescribedServer,
  type DescribedServer,
  type DescribedServerOptions,
  type Handlers,
} from './testing/described-server.ts';
import { sampleEvent, sampleId } from './testing/samples.ts';

let server: DescribedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** An event feed of numbers: the cursor is how many events lie before it. */
function feedOf(events: readonly Event[], pageSize = 3): Handlers {
  return {
    listEvents: ({ query }) => {
      const from = query.after === 'now' ? events.length : Number(query.after ?? 0);
      const items = events.slice(from, from + Math.min(pageSize, query.limit));
      const cursor = String(from + items.length);
      return { items, cursor, nextCursor: from + items.length < events.length ? cursor : null };
    },
  };
}

async function take(
  count: number,
  handlers: Handlers,
  options: FollowOptions & DescribedServerOptions = {},
): Promise<Event[]> {
  server = await startDescribedServer(handlers, options);
  const client = createClient({ baseUrl: server.url });
  const seen: Event[] = [];
  for await (const event of followEvents(client, options)) {
    seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}

const tenEvents = Array.from({ length: 10 }, (_, i) => sampleEvent(i + 1));

describe('followEvents', () => {
  it('tells every event once and in order, over pages', async () => {
    const seen = await take(10, feedOf(tenEvents));
    expect(seen).toEqual(tenEvents);
  });

  it('misses and repeats nothing while connections die in every way', async () => {
    let requests = 0;
    const intercept: DescribedServerOptions['intercept'] = (request, response) => {
      requests += 1;
      const way = requests % 4;
      if (way === 1) request.socket.destroy();
      else if (way === 2) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 9_999 });
        response.write('{"items":[{"id":"event-1"');
        setImmediate(() => request.socket.destroy());
      } else if (way === 3) response.writeHead(503).end();
      return way !== 0;
    };
    const seen = await take(10, feedOf(tenEvents), { intercept });
    expect(seen.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(requests).toBe(16);
  });

  it('tells when the server is lost and back', async () => {
    let requests = 0;
    const notes: string[] = [];
    await take(1, feedOf(tenEvents), {
      intercept: (request) => {
        requests += 1;
        if (requests < 3) request.socket.destroy();
        return requests < 3;
      },
      onLost: ({ error, attempt }) => notes.push(`${error.code} ${attempt}`),
      onBack: () => notes.push('back'),
    });
    expect(notes).toEqual(['DEPENDENCY_UNAVAILABLE 1', 'DEPENDENCY_UNAVAILABLE 2', 'back']);
  });

  it('begins at a cursor, asks for one contract, and passes over kinds it does not know', async () => {
    const strange = { ...sampleEvent(5), type: 'moon.landed' };
    const page = {
      items: [sampleEvent(4), strange, sampleEvent(6)],
      nextCursor: null,
      cursor: '6',
    };
    let asked: URLSearchParams | undefined;
    const seen = await take(
      2,
      {},
      {
        after: '3',
        contractId: sampleId('contract', 1),
        intercept: (request, response) => {
          asked = new URL(request.url ?? '', 'http://x').searchParams;
          response.end(JSON.stringify(page));
          return true;
        },
      },
    );
    expect(seen.map((event) => event.seq)).toEqual([4, 6]);
    expect([asked?.get('after'), asked?.get('contractId'), asked?.get('wait')]).toEqual([
      '3',
      sampleId('contract', 1),
      '0',
    ]);
  });

  it('ends quietly when aborted, even while the server holds the request', async () => {
    const stop = new AbortController();
    let held = 0;
    server = await startDescribedServer(feedOf(tenEvents), {
      intercept: (request) => {
        const waits = request.url?.includes('wait=25') ?? false;
        if (!waits || !request.url?.includes('after=10')) return false;
        held += 1;
        stop.abort();
        return true;
      },
    });
    const client = createClient({ baseUrl: server.url });
    const seen: Event[] = [];
    for await (const event of followEvents(client, { signal: stop.signal })) seen.push(event);
    expect([seen.length, held]).toEqual([10, 1]);
  });

  it.each(['UNAUTHENTICATED', 'VALIDATION_FAILED'] as const)(
    'does not insist on %s',
    async (code) => {
      const refusal = take(1, {
        listEvents: () => {
          throw new MakimaError(code, 'no');
        },
      });
      await expect(refusal).rejects.toMatchObject({ code });
    },
  );

  it('does not insist on an answer that it cannot read', async () => {
    const refusal = take(
      1,
      {},
      {
        intercept: (_, response) => {
          response.end('{}');
          return true;
        },
      },
    );
    await expect(refusal).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('followPages', () => {
  it('says when it has caught up', async () => {
    server = await startDescribedServer(feedOf(tenEvents, 6));
    const client = createClient({ baseUrl: server.url });
    const pages: unknown[] = [];
    for await (const page of followPages(client)) {
      pages.push([page.events.length, page.cursor, page.caughtUp]);
      if (page.caughtUp) break;
    }
    expect(pages).toEqual([
      [6, '6', false],
      [4, '10', true],
    ]);
  });
});
