/** Following a monitor: through cuts without a gap, and not for ever against what will not pass. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { monitorProtocol, monitorTicketPrefix } from '@makima/contracts/entity/monitor';
import { createClient } from './client.ts';
import { followMonitor } from './follow-monitor.ts';

let server: Server;
let tickets = 0;
/** The protocols that sockets named. */
const seen: string[] = [];
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const contractId = '019a0000-0000-7000-8000-000000000001';
const event = (n: number) => ({
  type: 'phase_changed',
  contract_id: contractId,
  time: '2030-01-01T00:00:00.000Z',
  cursor: `c${n}`,
  old_phase: 'plan',
  new_phase: `p${n}`,
});

/** Serves sockets with `serve`, and requests with this status. */
async function start(
  serve: (socket: WebSocket, filter: Record<string, unknown>) => void,
  page: { status: number; body: unknown } = {
    status: 200,
    body: { items: [], nextCursor: null, cursor: 'c' },
  },
): Promise<string> {
  server = createServer((request, response) => {
    if (request.method === 'POST' && page.status === 200) {
      const protocols = [monitorProtocol, `${monitorTicketPrefix}${(tickets += 1)}`];
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ protocols, expiresAt: '2030-01-01T00:00:00.000Z' }));
      return;
    }
    response.writeHead(page.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(page.body));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const named = request.headers['sec-websocket-protocol'];
    if (named !== undefined) seen.push(named);
    expect(request.headers.authorization).toBe(named === undefined ? 'Bearer mk_x' : undefined);
    socket.once('message', (data: Buffer) => serve(socket, JSON.parse(data.toString('utf8'))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('goes on after a cut where it was, and passes over what it does not know', async () => {
  const filters: Record<string, unknown>[] = [];
  const url = await start((socket, filter) => {
    filters.push(filter);
    const say = (message: unknown): void => socket.send(JSON.stringify(message));
    if (filters.length === 1) {
      say({ type: 'ready', cursor: 'c0' });
      say(event(1));
      say({ type: 'unheard_of', contract_id: contractId });
      say({ type: 'position', cursor: 'c2' });
      socket.close(4503);
    } else say(event(3));
  });
  const stop = new AbortController();
  const phases: string[] = [];
  let ready = 0;
  const lost: number[] = [];
  const events = followMonitor(createClient({ baseUrl: url, key: 'mk_x' }), {
    filter: { contract_ids: [contractId] },
    signal: stop.signal,
    onReady: () => (ready += 1),
    onLost: ({ attempt }) => lost.push(attempt),
  });
  for await (const one of events) {
    if (one.type === 'phase_changed') phases.push(one.new_phase);
    if (phases.length === 2) stop.abort();
  }
  expect(phases).toEqual(['p1', 'p3']);
  expect([ready, lost]).toEqual([1, [1]]);
  expect(filters).toEqual([
    { contract_ids: [contractId] },
    { contract_ids: [contractId], after: 'c2' },
  ]);
});

const first = (url: string): Promise<unknown> =>
  followMonitor(createClient({ baseUrl: url, key: 'mk_x' })).next();

it('tells when its cursor is of no use', async () => {
  const url = await start((socket) => socket.close(4410));
  await expect(first(url)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
});

it('ends with what will not pass', async () => {
  const body = { code: 'UNAUTHENTICATED', title: 'x', status: 401, detail: 'no' };
  const url = await start((socket) => socket.close(4401), { status: 401, body });
  await expect(first(url)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('as a browser does, opens each connection with a ticket of its own and never shows the key', async () => {
  const url = await start((socket) => {
    if (seen.length === 1) socket.close(4503);
    else socket.send(JSON.stringify(event(1)));
  });
  const client = createClient({ baseUrl: url, key: 'mk_x' });
  const events = followMonitor(client, { entry: 'ticket' });
  expect((await events.next()).value).toMatchObject({ type: 'phase_changed', new_phase: 'p1' });
  await events.return();
  expect(seen).toEqual(['makima.monitor, makima.ticket.1', 'makima.monitor, makima.ticket.2']);
});

it('that is given no ticket ends with the reason', async () => {
  const body = { code: 'FORBIDDEN', title: 'x', status: 403, detail: 'no' };
  const url = await start((socket) => socket.close(), { status: 403, body });
  const client = createClient({ baseUrl: url, key: 'mk_x' });
  await expect(followMonitor(client, { entry: 'ticket' }).next()).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
});
