/** Endpoints that watch over all contracts: the monitor and the dashboard of seed 004. */
import { z } from 'zod';
import { contractStatuses } from '@makima/domain/contract';
import { zDashboard } from '../entity/dashboard.ts';
import { monitorPath, zMonitorEvent, zMonitorTicket } from '../entity/monitor.ts';
import { defineEndpoint } from './endpoint.ts';
import { zPage } from './page.ts';

const watchers = { person: 'read', tool: 'none', daemon: false } as const;

const id = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const status = `(?:${contractStatuses.join('|')})`;
/** Values of one of these kinds, separated by commas. */
const listOf = (item: string): RegExp => new RegExp(`^${item}(?:,${item})*$`);

export const monitorContracts = defineEndpoint({
  id: 'monitorContracts',
  method: 'GET',
  path: monitorPath,
  tag: 'contracts',
  summary: 'What happens to contracts: by socket, as a stream, or by page',
  description:
    'With `Upgrade: websocket` a socket (a browser opens it with a ticket of `createMonitorTicket`): the first message is the filter (`contract_ids`, `statuses`, `include_stale`, `include_heartbeats`, `after`), a later one replaces it. With `Accept: text/event-stream` a stream of the same events; `Last-Event-ID` is the cursor. Else the page after a cursor. `contract_ids` and `statuses` are lists separated by commas. Without a cursor it begins now.',
  query: z.strictObject({
    contract_ids: z.string().max(3_700).regex(listOf(id), 'ids, separated by commas').optional(),
    statuses: z.string().max(200).regex(listOf(status), 'statuses, separated by commas').optional(),
    include_stale: z.stringbool().default(true),
    include_heartbeats: z.stringbool().default(false),
    after: z.string().max(200).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  status: 200,
  response: zPage(zMonitorEvent).extend({ cursor: z.string() }),
  errors: ['NOT_FOUND'],
  policy: watchers,
});

export const createMonitorTicket = defineEndpoint({
  id: 'createMonitorTicket',
  method: 'POST',
  path: `${monitorPath}/tickets`,
  tag: 'contracts',
  summary: 'A ticket that opens one monitor from a browser',
  description:
    'A browser cannot send the key with a socket. `new WebSocket(url, protocols)` with the `protocols` of the answer opens the monitor instead: once, within 30 s, from a page of this server, as the key that asked for it.',
  status: 201,
  response: zMonitorTicket,
  errors: ['NOT_FOUND'],
  policy: watchers,
});

export const contractsDashboard = defineEndpoint({
  id: 'contractsDashboard',
  method: 'GET',
  path: '/api/v1/contracts/dashboard',
  tag: 'contracts',
  summary: 'How all contracts stand: counts, stale, waiting, recent events, resources in use',
  status: 200,
  response: zDashboard,
  errors: ['NOT_FOUND'],
  policy: watchers,
});
