// Free TCP ports on loopback.
// Why: the usual port may be taken; the next one does as well, and the caller tells which it is.
// Law: a port found free may be taken a moment later, so whoever binds it must be ready to look again.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Whether a listener can be opened on 127.0.0.1:port now. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });

const lowest = 10_000;

/**
 * A free port that `taken` does not hold, where the kernel gives none to outgoing connections: one of those
 * would hold it as soon as somebody connects somewhere, before our process has opened it.
 */
export const anyFreePort = async (taken: ReadonlySet<number> = new Set()): Promise<number> => {
  const end = firstOfKernel();
  for (;;) {
    const port = end > 2 * lowest ? randomInt(lowest, end) : await kernelPort();
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
};

/** The first port that the kernel gives to outgoing connections; 0 where it does not say. */
const firstOfKernel = (): number => {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
};

/** Any free port, kept from the other stacks of this machine. */
export const reserveAnyPort = async (taken: ReadonlySet<number>): Promise<Reservation> => {
  for (;;) {
    const port = await anyFreePort(taken);
    const release = await reserve(port);
    if (release !== undefined) return { port, release };
  }
};

const kernelPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new Error('no port was given')),
      );
    });
  });

/** A port that no other stack of this machine takes until it is let go, or this process ends. */
export interface Reservation {
  port: number;
  release: () => void;
}

/**
 * The preferred port, or the next free one of the fifty after it that `taken` does not hold. Stacks that
 * start at the same moment get different ones, though none of their processes listens yet.
 */
export const reservePortFrom = async (
  preferred: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<Reservation> => {
  for (let port = preferred; port < preferred + 50; port += 1) {
    if (taken.has(port) || !(await isPortFree(port))) continue;
    const release = await reserve(port);
    if (release !== undefined) return { port, release };
  }
  return { port: await anyFreePort(taken), release: () => {} };
};

/** A name that the kernel gives to one process, and takes back when that ends: an abstract socket. */
const reserve = (port: number): Promise<(() => void) | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ path: `\0makima port ${port}` }, () => resolve(() => void server.close()));
    server.unref();
  });
