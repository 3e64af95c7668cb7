// The floor: the same hops with none of makima's logic: HTTP, one insert, BullMQ, a worker's update, Redis
// publish, a socket frame, an ack written. What makima adds is the ratio to this, in the same run.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import WebSocket, { WebSocketServer } from 'ws';

export interface Floor {
  /** One unit from the request to its frame at the daemon's side; milliseconds. */
  spawn(): Promise<number>;
  close(): Promise<void>;
}

export async function openFloor(stores: { databaseUrl: string; redisUrl: string }): Promise<Floor> {
  const sql = postgres(stores.databaseUrl, { max: 10, onnotice: () => {} });
  await sql`create table if not exists bench_floor (id uuid primary key, status text not null, acked_at timestamptz)`;
  const connection = (): Redis => new Redis(stores.redisUrl, { maxRetriesPerRequest: null });
  const connections = [connection(), connection(), connection(), connection()] as const;
  const [forQueue, forWorker, publisher, subscriber] = connections;
  const queue = new Queue('bench-floor', { connection: forQueue });
  const worker = new Worker(
    'bench-floor',
    async (job) => {
      await sql`update bench_floor set status = 'assigned' where id = ${job.data.id}`;
      await publisher.publish('bench-floor', job.data.id);
    },
    { connection: forWorker, concurrency: 8 },
  );
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(sockets, 'listening');
  await subscriber.subscribe('bench-floor');
  subscriber.on('message', (_channel, id) => {
    for (const socket of sockets.clients) socket.send(JSON.stringify({ id }));
  });
  sockets.on('connection', (socket) => {
    socket.on(
      'message',
      (data: Buffer) =>
        void sql`update bench_floor set acked_at = now() where id = ${data.toString('utf8')}`.catch(
          () => {},
        ),
    );
  });
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const id = randomUUID();
      void (async () => {
        await sql`insert into bench_floor (id, status) values (${id}, 'pending')`;
        await queue.add('unit', { id }, { jobId: `unit-${id}`, removeOnComplete: true });
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id }));
      })();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const daemon = new WebSocket(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
  await once(daemon, 'open');
  const arrivals = new Map<string, (atMs: number) => void>();
  const early = new Map<string, number>();
  daemon.on('message', (data: Buffer) => {
    const atMs = performance.now();
    const { id } = JSON.parse(data.toString('utf8')) as { id: string };
    daemon.send(id);
    const arrived = arrivals.get(id);
    if (arrived === undefined) early.set(id, atMs);
    else arrived(atMs);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    async spawn() {
      const began = performance.now();
      const answer = await fetch(url, { method: 'POST', body: '{}' });
      const { id } = (await answer.json()) as { id: string };
      const atMs =
        early.get(id) ?? (await new Promise<number>((resolve) => arrivals.set(id, resolve)));
      return atMs - began;
    },
    async close() {
      daemon.terminate();
      server.closeAllConnections();
      server.close();
      sockets.close();
      await worker.close();
      await queue.close();
      for (const one of connections) one.disconnect();
      await sql`drop table if exists bench_floor`;
      await sql.end({ timeout: 5 });
    },
  };
}
