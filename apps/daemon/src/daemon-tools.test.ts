/** An agent's tool calls go through the daemon's door, with a key that it never sees. */
import { randomUUID } from 'node:crypto';
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
  readonly toolUseId: unknown;
}

describe("an agent's tool calls", () => {
  const toolKey = `mk_tool_${'7'.repeat(32)}_${'t'.repeat(38)}`;
  let api: Server;
  let port: number;
  let calls: Call[];
  /** Calls of this tool are held and never answered. */
  let held: string | null;
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  const listen = async (): Promise<void> => {
    api.listen(port, '127.0.0.1');
    await once(api, 'listening');
    ({ port } = api.address() as AddressInfo);
  };
  beforeEach(async () => {
    calls = [];
    held = null;
    port = 0;
    api = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { id, method, params } = JSON.parse(text) as {
          id?: number;
          method: string;
          params?: { name?: string; _meta?: Record<string, unknown> };
        };
        const { authorization } = request.headers;
        const toolUseId = params?._meta?.['claudecode/toolUseId'];
        calls.push({ authorization, run: request.headers['x-makima-run'], method, toolUseId });
        if (id === undefined) return response.writeHead(202).end();
        if (held !== null && params?.name === held) return;
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

  it('that only wait let it be parked; it goes on with the same call', async () => {
    held = 'makima_wait';
    const steps =
      '- wait_message: { containing: go }\n- tool: makima_wait\n  as: r\n- say: got ${r.word}';
    const start = { ...startCommand(steps), isSupervisor: true };
    const { taskId, attempt } = start;
    const park = { kind: 'task.stop', taskId, attempt, reason: 'parked', graceMs: 3_000 } as const;
    const used = (name: string): boolean =>
      gateway
        .lines(start)
        .some(({ messageType, toolName }) => messageType === 'tool_use' && toolName === name);
    gateway.command(start);
    await gateway.until('its first tool', () => used('wait_message'));
    gateway.command(park);
    const go = { id: randomUUID(), text: 'go', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message: go });
    await gateway.until('its wait', () => used('makima_wait') && calls.some(isToolCall));
    expect(gateway.of('task.ended')).toEqual([]);
    gateway.command(park);
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'parked', error: null });
    expect(gateway.of('task.turn_ended')).toEqual([]);
    expect(gateway.lines(start).at(-1)?.content).toContain('Parked');
    expect(gateway.lines(start).some(({ isError }) => isError)).toBe(false);
    held = null;
    const digest = {
      id: randomUUID(),
      text: '=== WAKE ===\n=== END WAKE ===',
      mode: 'steer',
    } as const;
    const again = { ...start, attempt: 2, resumeSession: true, messages: [digest] };
    gateway.command(again);
    await gateway.until('its end', () => gateway.of('task.turn_ended')[0]);
    expect(gateway.lines(again).map(({ content }) => content)).toContain('got pong');
    const ids = calls.filter(isToolCall).map(({ toolUseId }) => toolUseId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

function isToolCall({ method }: Call): boolean {
  return method === 'tools/call';
}
