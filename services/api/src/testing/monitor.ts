/** A monitor's socket as a test holds it: what it was told, in order, and waits for what it wants to see. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { monitorPath } from '@makima/contracts/entity/monitor';

export interface TestMonitor {
  readonly socket: WebSocket;
  /** Everything that was told so far. */
  readonly told: any[];
  /** Resolves when what was told satisfies this. */
  until(done: (told: any[]) => boolean): Promise<any[]>;
  /** Code and reason of the close. */
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

export interface MonitorAddress {
  readonly port: number;
  readonly key?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  /** What the socket names, such as a ticket. */
  readonly protocols?: readonly string[];
}

export function dial(address: MonitorAddress): WebSocket {
  const { port, key, headers, path = monitorPath, protocols = [] } = address;
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], {
    perMessageDeflate: false,
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
  });
}

/** Status of a refused upgrade and its problem. */
export async function refusedDial(
  address: MonitorAddress,
): Promise<{ status: number; code: string }> {
  const socket = dial(address);
  const [, response] = await once(socket, 'unexpected-response');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const problem = JSON.parse(Buffer.concat(parts).toString('utf8')) as { code: string };
  return { status: response.statusCode, code: problem.code };
}

/** Opened, with its filter sent, and live. */
export async function monitor(
  address: MonitorAddress,
  filter: Record<string, unknown> = {},
): Promise<TestMonitor> {
  const opened = await openMonitor(address, filter);
  await opened.until((told) => told.some((one) => one.type === 'ready'));
  return opened;
}

/** Opened, with its filter sent. */
export async function openMonitor(
  address: MonitorAddress,
  filter: unknown = {},
): Promise<TestMonitor> {
  const socket = dial(address);
  const told: any[] = [];
  let look = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    told.push(JSON.parse(data.toString('utf8')));
    look();
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }));
  await once(socket, 'open');
  socket.send(typeof filter === 'string' ? filter : JSON.stringify(filter));
  return {
    socket,
    told,
    closed,
    async until(done) {
      const seen = new Promise<void>((resolve) => {
        look = () => {
          if (done(told)) resolve();
        };
        look();
      });
      await Promise.race([seen, closed]);
      if (!done(told)) throw new Error(`closed: ${JSON.stringify(await closed)}`);
      return told;
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

/** Only the events, without what the server says of itself. */
export function eventsOf(told: readonly any[]): any[] {
  return told.filter((one) => 'contract_id' in one);
}
