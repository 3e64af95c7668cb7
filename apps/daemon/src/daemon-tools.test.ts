/** An agent's tool calls go through the daemon's door, with a key that it never sees. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

interface Call {
  readonly authorization: string | undefined;
  readonly run: string | string[] | undefined;
  readonly method: string;
}

describe("an agent's tool calls", () => {
  const toolKey = `mk_tool_${'7'.repeat(32)}_${'t'.repeat(38)}`;
  let api: Server;
  let port: number;
  let calls: Call[];
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  const listen = async (): Promise<void> => {
    api.listen(port, '127.0.0.1');
    await once(api, 'listening');
    ({ port } = api.address() as AddressInfo);
  };
  beforeEach(async () => {
    calls = [];
    port = 0;
    api = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { id, method } = JSON.parse(text) as { id?: number; method: string };
        const { authorization } = request.headers;
        calls.push({ authorization, run: request.headers['x-makima-run'], method });
        if (id === undefined) return response.writeHead(202).end();
        const result =
          method === 'initialize'
            ? {
                protocolVersion: '2025-11-25',
                capabilities: {},
                serverInfo: { name: 'x', version: '1' },
              }
            : {
                content: [{ type: 'text', text: '{"word":"pong"}' }],
                structuredContent: { word: 'pong', tasks: [] },
              };
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });
    });
    await listen();
    gateway = await createFakeGateway();
    gateway.levers.answer = () => ({ key: toolKey });
    daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      apiUrl: `http://127.0.0.1:${port}`,
    });
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
    api.closeAllConnections();
    api.close();
  });

  const ping = '- tool: makima_ping\n  as: r\n- say: got ${r.word}';

  it('go to the API with the key of the run, which the agent never sees', async () => {
    const start = startCommand(`${ping}\n- run: [sh, -c, "env; cat /proc/$PPID/environ"]`);
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    const said = gateway.lines(start).map((line) => line.content);
    expect(said).toContain('got pong');
    const tool = calls.find((call) => call.method === 'tools/call');
    expect(tool).toMatchObject({
      authorization: `Bearer ${toolKey}`,
      run: `${start.taskId}/1`,
    });
    const everything = JSON.stringify(gateway.reports);
    expect(everything).not.toContain('test-daemon-key');
    expect(everything).not.toContain(toolKey);
    expect(everything).toContain('MAKIMA_RUN_ID');
    expect(everything).not.toMatch(/MAKIMA_(GATEWAY_URL|DAEMON_HOME|TIMINGS)/);
  });

  it('are made by the makima command in its shell too, through the same door', async () => {
    const start = startCommand(
      '- run: [sh, -c, "makima supervisor list"]\n  as: r\n- say: ${r.output}',
    );
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    const said = gateway.lines(start).map((line) => line.content);
    expect(said).toContain('{"word":"pong","tasks":[]}\n');
    expect(calls).toEqual([
      { authorization: `Bearer ${toolKey}`, run: `${start.taskId}/1`, method: 'tools/call' },
    ]);
  });

  it('wait for an API that is away for a moment', async () => {
    api.closeAllConnections();
    api.close();
    const start = startCommand(`- say: asking\n${ping}`);
    gateway.command(start);
    await gateway.until('the call', () =>
      gateway.lines(start).some((line) => line.messageType === 'tool_use'),
    );
    await listen();
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(calls.filter((call) => call.method === 'tools/call')).toHaveLength(1);
  });
});
