/**
 * Bull Board over the queues of the catalog, as a Hono app for one base path.
 *
 * Law: read-only unless asked otherwise; it has no authentication of its own, the API mounts it behind its
 * owners' check. Job data holds ids and fences only, so there is no secret to show.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';
import type { Bus } from './queues.ts';

export interface BoardOptions {
  /** Where the API mounts it, e.g. `/admin/queues`; links inside the board start with it. */
  readonly basePath: string;
  /** `look` shows, `act` may also retry, remove and promote. Default `look`. */
  readonly mode?: 'look' | 'act';
}

/** Build the board; mount it with `app.route(basePath, board)`. */
export function createBoard(bus: Bus, options: BoardOptions): Hono {
  const readOnlyMode = options.mode !== 'act';
  const serverAdapter = new HonoAdapter(serveStatic);
  serverAdapter.setBasePath(options.basePath);
  createBullBoard({
    queues: [...bus.inner.queues.values()].map(
      (queue) => new BullMQAdapter(queue, { readOnlyMode, allowRetries: !readOnlyMode }),
    ),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'makima queues' } },
  });
  return serverAdapter.registerPlugin();
}
