/**
 * Events as they happen, over the long poll of `GET /api/v1/events`, through any number of restarts.
 *
 * Why: watching is how people and tests learn that something moved; it must not miss and not repeat.
 * Law: the cursor moves only with a whole page that was read, so a cut connection costs nothing and doubles
 * nothing. What may pass (no server, 429, 5xx) is retried for ever; what will not (401, 403, a cursor that
 * the server refuses) is thrown. An event kind that this client does not know is passed over.
 */
import { z } from 'zod';
import { isMakimaError, type MakimaError } from '@makima/domain/error';
import { zEvent, type Event } from '@makima/contracts/entity/event';
import { problemStatus } from '@makima/contracts/problem';
import { endpoints } from '@makima/contracts/http/all';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { parseAnswer } from './answer.ts';
import type { Client } from './client.ts';
import { chance, nowMs } from './chance.ts';
import { pause } from './pause.ts';
import { backoffMs } from './retry.ts';

export interface FollowOptions {
  /** Cursor to go on from; `now` for what is new; absent for the oldest. */
  readonly after?: string | undefined;
  readonly contractId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the server may hold a request that has nothing to tell. */
  readonly waitSeconds?: number;
  /** Called when a request failed, before the wait. */
  readonly onLost?: (note: { error: MakimaError; attempt: number; delayMs: number }) => void;
  /** Called when it answers again. */
  readonly onBack?: () => void;
}

export interface EventPage {
  readonly events: readonly Event[];
  /** Where to go on. */
  readonly cursor: string;
  /** Nothing more was there when the server answered. */
  readonly caughtUp: boolean;
}

const zLoosePage = z.object({
  items: z.array(z.unknown()),
  nextCursor: z.string().nullable(),
  cursor: z.string(),
});

const pageSize = 200;
/** Beyond what the server holds a request. */
const graceMs = 15_000;
/** An empty page that comes sooner than this is followed by a pause: the server does not hold requests. */
const quickPageMs = 200;

/** Every event after the cursor, one by one; ends when the signal aborts. */
export async function* followEvents(
  client: Client,
  options: FollowOptions = {},
): AsyncGenerator<Event, void, void> {
  for await (const page of followPages(client, options)) yield* page.events;
}

/** The same by page, the empty ones included: for those who act when they have caught up. */
export async function* followPages(
  client: Client,
  options: FollowOptions = {},
): AsyncGenerator<EventPage, void, void> {
  let after = options.after;
  // The first request does not wait: it tells at once where we stand, and fixes `now`.
  let wait = 0;
  while (!options.signal?.aborted) {
    const startedMs = nowMs();
    const body = await nextBody(client, { ...options, after, wait });
    if (body === aborted) return;
    const page = readPage(body);
    const events = page.items.flatMap((item) => {
      const event = zEvent.safeParse(item);
      return event.success ? [event.data] : [];
    });
    yield { events, cursor: page.cursor, caughtUp: page.nextCursor === null };
    after = page.cursor;
    const idle = wait > 0 && page.items.length === 0;
    if (idle && nowMs() - startedMs < quickPageMs && !(await rest(1_000, options.signal))) return;
    wait = options.waitSeconds ?? 25;
  }
}

/** A page whose shape is wrong will not be right the next time: that is thrown, not retried. */
function readPage(body: unknown): z.output<typeof zLoosePage> {
  const endpoint = endpoints.listEvents as unknown as Endpoint;
  return parseAnswer(endpoint, zLoosePage, body) as z.output<typeof zLoosePage>;
}

type PageRequest = FollowOptions & { after: string | undefined; wait: number };

const aborted = Symbol('aborted');

/** The next answer, however long the server is away. */
async function nextBody(client: Client, request: PageRequest): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      const body = await fetchBody(client, request);
      if (attempt > 1) request.onBack?.();
      return body;
    } catch (error) {
      if (request.signal?.aborted) return aborted;
      if (!isMakimaError(error) || !mayPass(error)) throw error;
      const delayMs = 50 + backoffMs(attempt, chance);
      request.onLost?.({ error, attempt, delayMs });
      if (!(await rest(delayMs, request.signal))) return aborted;
    }
  }
}

function fetchBody(client: Client, request: PageRequest): Promise<unknown> {
  return client.callAs('listEvents', z.unknown(), {
    query: {
      limit: pageSize,
      wait: request.wait,
      ...(request.after === undefined ? {} : { after: request.after }),
      ...(request.contractId === undefined ? {} : { contractId: request.contractId }),
    },
    timeoutMs: request.wait * 1_000 + graceMs,
    tries: 1,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
}

function mayPass(error: MakimaError): boolean {
  const status = problemStatus[error.code];
  return error.retryable || status === 429 || status >= 500;
}

/** False when the signal ended it. */
async function rest(delayMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await pause(delayMs, signal);
    return true;
  } catch {
    return false;
  }
}
