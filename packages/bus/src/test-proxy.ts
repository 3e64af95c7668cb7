/**
 * A TCP proxy between us and a store that can go away or half-open: the sockets stay, nothing passes. That is what a
 * dead router or a moved virtual machine looks like from here.
 *
 * Law: loopback only; every socket is closed at the end.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Proxy {
  /** The URL of the target, through the proxy. */
  readonly url: string;
  /** From now on nothing passes on the connections that are open; new ones are fine. */
  freeze(): void;
  /** Close every connection. */
  cut(): void;
  /** Close every connection and refuse new ones, until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function openProxy(targetUrl: string): Promise<Proxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  const frozen = new WeakSet<Socket>();

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (bytes) => {
        if (!frozen.has(from)) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        pairs.delete(pair);
        if (!frozen.has(from)) to.destroy();
      });
    };
    pass(near, far);
    pass(far, near);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const url = new URL(targetUrl);
  url.port = String(port);
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const stop = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    cut();
    return closed;
  };
  return {
    url: url.href,
    freeze() {
      for (const pair of pairs) for (const socket of pair) frozen.add(socket);
    },
    cut,
    down: stop,
    up: () => listen(port),
    close: stop,
  };
}
