/**
 * Monitor events by HTTP: a page, or a stream of server-sent events whose ids are the cursors.
 *
 * Law: the same reader as the socket's, so that the same events come in the same order.
 */
import type { MonitorFilter } from '@makima/contracts/entity/monitor';
import { isMonitored } from '@makima/domain/monitor';
import { readMonitor } from '@makima/engine/event/monitor';
import type { ContractStatus } from '@makima/domain/contract';
import type { MonitorEvent } from '@makima/contracts/entity/monitor';
import { sessionOf } from '../auth.ts';
import type { Api } from '../context.ts';
import type { Answer } from '../mount.ts';
import type { ApiCtx } from '../request.ts';
import { eventStream, type StreamChunk } from '../sse.ts';
import type { MonitorReader } from './hub.ts';
import { requireMonitoring } from './flag.ts';
import { wishOf } from './subscription.ts';

export interface MonitorQuery {
  readonly contract_ids?: string | undefined;
  readonly statuses?: string | undefined;
  readonly include_stale: boolean;
  readonly include_heartbeats: boolean;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** How often a stream looks again whether its key still opens it. */
const recheckMs = 3_000;

function filterOf(query: MonitorQuery, after: string | undefined): MonitorFilter {
  return {
    contract_ids: query.contract_ids?.split(','),
    statuses: query.statuses?.split(',') as ContractStatus[] | undefined,
    include_stale: query.include_stale,
    include_heartbeats: query.include_heartbeats,
    after,
  };
}

type Page = { items: MonitorEvent[]; nextCursor: string | null; cursor: string };

export async function monitorPage(
  c: ApiCtx,
  api: Api,
  query: MonitorQuery,
): Promise<Answer<Page> | Response> {
  requireMonitoring(api.engine);
  if ((c.req.header('accept') ?? '').includes('text/event-stream')) {
    return monitorStream(c, api, query);
  }
  const { principal } = sessionOf(c);
  const { limit, after = 'now' } = query;
  const page = await readMonitor(api.engine, principal, { after, limit });
  const wish = wishOf(filterOf(query, after));
  const items = page.facts.filter((fact) => isMonitored(wish, fact)).map(({ event }) => event);
  const { cursor, full } = page;
  return { result: { items, cursor, nextCursor: full ? cursor : null } };
}

async function monitorStream(c: ApiCtx, api: Api, query: MonitorQuery): Promise<Response> {
  const { principal, token } = sessionOf(c);
  const after = c.req.header('last-event-id') ?? query.after;
  // Looked at before the stream begins: a bad cursor is a 400, not a broken stream.
  if (after !== undefined) await readMonitor(api.engine, principal, { after, limit: 1 });
  const reader = await api.monitors.open(principal, filterOf(query, after));
  const source = follow(api, { reader, token, signal: c.req.raw.signal });
  return eventStream(source, {
    socket: c.env.incoming.socket,
    onEnd: () => {
      reader.close();
      reader.subscription.ring();
    },
  });
}

interface Following {
  readonly reader: MonitorReader;
  readonly token: string;
  readonly signal: AbortSignal;
}

async function* follow(api: Api, f: Following): AsyncGenerator<StreamChunk> {
  let ready = false;
  yield { comment: 'hello', retryMs: 1_000 };
  while (!f.signal.aborted) {
    if (api.holds.draining.aborted) {
      yield { comment: 'the server restarts: connect again' };
      return;
    }
    if ((await api.auth.check(f.token)) === null) {
      yield { event: 'unauthenticated', data: '{"code":"UNAUTHENTICATED"}' };
      return;
    }
    const batch = await f.reader.subscription.next(recheckMs);
    for (const { cursor, type, text } of batch.told) yield { id: cursor, event: type, data: text };
    if (batch.live && !ready) {
      ready = true;
      yield { id: batch.cursor, event: 'ready', data: JSON.stringify({ cursor: batch.cursor }) };
    } else if (batch.told.length === 0) yield { idle: true };
  }
}
