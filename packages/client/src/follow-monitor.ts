/**
 * What happens to contracts, live, over the monitor's socket and through any number of restarts.
 *
 * Law: the cursor moves only with what was handed on, so a cut connection costs nothing and doubles nothing.
 * What may pass is retried for ever; what will not (a key, a switched-off monitor, a cursor of no use) is
 * thrown. A kind of event that this client does not know is passed over.
 */
import {
  monitorCloseCodes,
  monitorPath,
  zMonitorEvent,
  zMonitorNotice,
  type MonitorEvent,
  type MonitorFilter,
} from '@makima/contracts/entity/monitor';
import { problemStatus } from '@makima/contracts/problem';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import type { Client } from './client.ts';
import { chance } from './chance.ts';
import { pause } from './pause.ts';
import { backoffMs } from './retry.ts';

export interface MonitorOptions {
  readonly filter?: Partial<Omit<MonitorFilter, 'after'>>;
  /** Cursor to go on from; absent: what is new. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * How the socket shows who opens it: with the key as a header, or (the only way that a browser has) with a
   * ticket that is asked for before each connection.
   */
  readonly entry?: 'key' | 'ticket';
  /** Called each time that everything missed has been told. */
  readonly onReady?: () => void;
  /** Called when the connection was lost, before the wait. */
  readonly onLost?: (note: { attempt: number; delayMs: number }) => void;
}

/** Most messages that wait to be handed on: beyond, the connection is given up and taken up again later. */
const waitingMost = 10_000;

/** Every event from the cursor on, one by one; ends when the signal aborts. */
export async function* followMonitor(
  client: Client,
  options: MonitorOptions = {},
): AsyncGenerator<MonitorEvent, void, void> {
  const { signal } = options;
  let after = options.after;
  let attempt = 0;
  while (!isOver(signal)) {
    const protocols = await protocolsOf(client, options);
    if (protocols !== 'later') {
      const line = openLine(client, { filter: options.filter, after, signal, protocols });
      try {
        for await (const text of line) {
          const notice = zMonitorNotice.safeParse(text).data;
          if (notice !== undefined && 'cursor' in notice) after = notice.cursor;
          if (notice?.type === 'ready') {
            attempt = 0;
            options.onReady?.();
          }
          const event = zMonitorEvent.safeParse(text).data;
          if (event === undefined) continue;
          yield event;
          if ('cursor' in event) after = event.cursor;
        }
      } finally {
        line.close();
      }
      if (isOver(signal)) return;
      if (line.closedWith === monitorCloseCodes.reload) throw outdated();
    }
    attempt += 1;
    await refusedFor(client, after, signal);
    const delayMs = 50 + backoffMs(attempt, chance);
    options.onLost?.({ attempt, delayMs });
    await pause(delayMs, signal).catch(() => undefined);
  }
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function outdated(): MakimaError {
  return new MakimaError('VALIDATION_FAILED', 'the cursor is of no use any more', {
    fix: 'read the contracts anew, then monitor from now on',
  });
}

/** What the next socket names: nothing, or a ticket; `later` when none is to be had now. */
async function protocolsOf(
  client: Client,
  { entry = 'key', signal }: MonitorOptions,
): Promise<readonly string[] | undefined | 'later'> {
  if (entry === 'key') return undefined;
  try {
    const ticket = await client.call('createMonitorTicket', {
      tries: 1,
      ...(signal && { signal }),
    });
    return ticket.protocols;
  } catch (error) {
    throwUnlessItPasses(error, signal);
    return 'later';
  }
}

/** A socket does not say why it was refused; a request does. Throws what will not pass. */
async function refusedFor(
  client: Client,
  after: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const query = { limit: 1, ...(after === undefined ? {} : { after }) };
    await client.call('monitorContracts', { query, tries: 1, ...(signal && { signal }) });
  } catch (error) {
    throwUnlessItPasses(error, signal);
  }
}

function throwUnlessItPasses(error: unknown, signal: AbortSignal | undefined): void {
  if (isOver(signal)) return;
  if (!isMakimaError(error)) throw error;
  const status = problemStatus[error.code];
  if (!error.retryable && status !== 429 && status < 500) throw error;
}

interface LineOptions extends Pick<MonitorOptions, 'filter' | 'after' | 'signal'> {
  readonly protocols: readonly string[] | undefined;
}

interface Line extends AsyncIterable<unknown> {
  /** The code of its close, once it is closed. */
  readonly closedWith: number | undefined;
  close(): void;
}

/** The messages of one connection, in order, until it ends however it ends. */
function openLine(client: Client, options: LineOptions): Line {
  const socket = client.socket(monitorPath, options.protocols);
  let waiting: unknown[] = [];
  let closedWith: number | undefined;
  let wake = (): void => undefined;
  const close = (): void => {
    options.signal?.removeEventListener('abort', close);
    socket.close();
    wake();
  };
  options.signal?.addEventListener('abort', close);
  socket.addEventListener('open', () => {
    const { filter, after } = options;
    socket.send(JSON.stringify({ ...filter, ...(after === undefined ? {} : { after }) }));
  });
  socket.addEventListener('message', ({ data }) => {
    waiting.push(JSON.parse(String(data)));
    if (waiting.length > waitingMost) socket.close();
    wake();
  });
  socket.addEventListener('close', ({ code }) => {
    closedWith = code;
    wake();
  });
  // Its close follows and is what counts.
  socket.addEventListener('error', () => undefined);
  return {
    get closedWith() {
      return closedWith;
    },
    close,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const some = waiting;
        waiting = [];
        yield* some;
        if (waiting.length > 0) continue;
        if (closedWith !== undefined || isOver(options.signal)) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
