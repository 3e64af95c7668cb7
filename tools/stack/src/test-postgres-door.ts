// The door at which the workers of a test run ask for their Postgres; each has a server of its own.
// Why: what one database of a server holds open holds back the others' event feeds (the oldest transaction
// is the server's), so files that run side by side would wait for each other, and for no reason of theirs.
// Law: a server starts when it is first asked for, and all of them end with the door.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { scratchFolder } from './scratch-folder.ts';
import { startTestPostgres, type TestServer } from './test-servers.ts';

export interface PostgresDoor {
  /** Path of its socket. */
  path: string;
  close: () => Promise<void>;
}

type Answer = { url: string } | { failure: string };

export const openPostgresDoor = async (
  start: () => Promise<Pick<TestServer, 'url' | 'stop'>> = startTestPostgres,
): Promise<PostgresDoor> => {
  const dir = scratchFolder();
  const path = join(dir, 'door');
  const servers = new Map<string, ReturnType<typeof start>>();
  const serverOf = (worker: string): ReturnType<typeof start> => {
    const server = servers.get(worker) ?? start();
    servers.set(worker, server);
    return server;
  };
  const answer = async (socket: Socket): Promise<void> => {
    const told = await serverOf(await text(socket)).then(
      ({ url }): Answer => ({ url }),
      (error: Error): Answer => ({ failure: error.message }),
    );
    socket.end(JSON.stringify(told));
  };
  const door = createServer({ allowHalfOpen: true }, (socket) => {
    answer(socket).catch(() => socket.destroy());
  });
  door.listen(path);
  await once(door, 'listening');
  return {
    path,
    close: async () => {
      door.close();
      await Promise.all(
        Array.from(servers.values(), (server) =>
          server.then(
            ({ stop }) => stop(),
            () => {}, // It did not start, and whoever asked was told.
          ),
        ),
      );
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

/** URL of the worker's own server. @throws Error with the reason when it did not start. */
export const askForPostgres = async (path: string, worker: string): Promise<string> => {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(worker);
  const answer = JSON.parse(await text(socket)) as Answer;
  if ('failure' in answer) throw new Error(`no Postgres for this worker: ${answer.failure}`);
  return answer.url;
};
