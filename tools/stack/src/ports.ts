// Free TCP ports on loopback.
// Why: the usual port may be taken; the next one does as well, and the caller tells which it is.
// Law: a port found free may be taken a moment later, so whoever binds it must be ready to look again.
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

/** A free port of the kernel's choice that `taken` does not hold. */
export const anyFreePort = async (taken: ReadonlySet<number> = new Set()): Promise<number> => {
  for (;;) {
    const port = await kernelPort();
    if (!taken.has(port)) return port;
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

/** The preferred port, or the next free one of the fifty after it that `taken` does not hold. */
export const freePortFrom = async (
  preferred: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> => {
  for (let port = preferred; port < preferred + 50; port += 1) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  return anyFreePort(taken);
};
