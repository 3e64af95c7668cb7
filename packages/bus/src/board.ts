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
import { Hono, type MiddlewareHandler } from 'hono';
import type { Bus } from './queues.ts';

export interface BoardOptions {
  /** Where the API mounts it, e.g. `/admin/queues`; links inside the board start with it. */
  readonly basePath: string;
  /** `look` shows, `act` may also retry, remove and promote. Default `look`. */
  readonly mode?: 'look' | 'act';
}

/** Build the board; mount it with `app.route(basePath, board)`. Its page is at `basePath` without a slash. */
export function createBoard(bus: Bus, options: BoardOptions): Hono {
  const readOnlyMode = options.mode !== 'act';
  const adapter = new HonoAdapter(serveStatic);
  adapter.setBasePath(options.basePath);
  createBullBoard({
    queues: [...bus.inner.queues.values()].map(
      (queue) => new BullMQAdapter(queue, { readOnlyMode, allowRetries: !readOnlyMode }),
    ),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'makima queues' } },
  });
  // Its own handler answers with the stack.
  adapter.setErrorHandler((error) => {
    bus.inner.log.error({ err: error }, 'board request failed');
    return { status: 500, body: { error: 'the board could not answer' } };
  });

  const board = new Hono();
  if (readOnlyMode) {
    // The board guards its queues; this guards whatever a next version of it adds.
    board.use(async (c, next) => {
      if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
      return c.json({ error: 'the board is read-only' }, 405);
    });
  }
  board.use(keepInside);
  return board.route('/', adapter.registerPlugin());
}

/** The page asks for fonts of another host: nothing of ours tells anybody that somebody looks. */
const keepInside: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.get('content-type')?.startsWith('text/html')) return;
  const page = (await c.res.text()).replace(/<link [^>]*href="https?:[^>]*>/g, '');
  c.res = new Response(page, c.res);
  c.res.headers.set('content-security-policy', contentPolicy);
};

const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
