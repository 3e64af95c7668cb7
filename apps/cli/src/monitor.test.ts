/** `makima contracts monitor` as a process against a socket: lines for programs, and what is left out of them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});
afterAll(() => stage.remove());

const id = '019a0000-0000-7000-8000-000000000001';
const base = { contract_id: id, time: '2030-01-01T00:00:00.000Z' };
const events = [
  { ...base, type: 'deliverable_completed', cursor: 'c1', phase: 'plan', deliverable_id: 'plan' },
  { ...base, type: 'phase_changed', cursor: 'c2', old_phase: 'plan', new_phase: 'execute' },
];

/** Tells two events; answers with the filters that it was sent. */
async function start(): Promise<unknown[]> {
  const filters: unknown[] = [];
  server = createServer((_request, response) => response.writeHead(404).end());
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      filters.push(JSON.parse(data.toString('utf8')));
      for (const event of events) socket.send(JSON.stringify(event));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stage.key = 'mk_x';
  return filters;
}

it('tells events as they come, by its filter, until it is interrupted', async () => {
  const filters = await start();
  const args = ['contracts', 'monitor', id, '--status', 'active,paused', '--quiet', '-o', 'json'];
  const running = stage.start(args);
  await running.until('"execute"');
  running.child.kill('SIGINT');
  const { code, stdout } = await running.end;
  expect(code).toBe(130);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([events[1]]);
  expect(filters).toEqual([
    { contract_ids: [id], statuses: ['active', 'paused'], include_heartbeats: false },
  ]);
});

it('refuses a status that there is not', async () => {
  await start();
  const { code, stderr } = await stage.run(['contracts', 'monitor', '--status', 'nice']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('nice')]);
});
