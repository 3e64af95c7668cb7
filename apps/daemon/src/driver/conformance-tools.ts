/**
 * A tool server on loopback as the daemon would be: MCP over streamable HTTP, one bearer token, one tool.
 *
 * Law: it keeps every call with its tool-use id, so that a case can ask how often one was made.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './json.ts';
import { objectOf, textOf } from './json.ts';

export interface SeenCall {
  readonly name: string;
  readonly args: Json;
  readonly toolId: string | null;
}

export interface ToolServer {
  readonly url: string;
  readonly token: string;
  readonly calls: readonly SeenCall[];
  /** Requests that came without the token. */
  readonly refused: number;
  /** From now on a call is taken and not answered; resolves with the first of them. */
  hold(): Promise<SeenCall>;
  /** Answers further calls with these values, one each; then echoes again. */
  answerNext(values: readonly Json[]): void;
  /** Forgets the calls that were made. */
  forget(): void;
  close(): Promise<void>;
}

const echo = {
  name: 'makima_echo',
  description: 'Says back what it is given.',
  inputSchema: { type: 'object', properties: { value: { type: 'string' } }, required: ['value'] },
};

export async function startToolServer(): Promise<ToolServer> {
  const token = `run-${randomUUID()}`;
  const state = {
    calls: [] as SeenCall[],
    refused: 0,
    held: null as ((call: SeenCall) => void) | null,
    next: [] as Json[],
  };
  const server = createServer((request, response) => {
    void read(request).then((message) => {
      if (request.headers.authorization !== `Bearer ${token}`) {
        state.refused += 1;
        response.writeHead(401).end();
      } else if (request.method !== 'POST' || message === null) response.writeHead(405).end();
      else if (message.id === undefined) response.writeHead(202).end();
      else answer(response, message, state);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    token,
    calls: state.calls,
    get refused() {
      return state.refused;
    },
    hold: () =>
      new Promise((resolve) => {
        state.held = resolve;
      }),
    answerNext(values) {
      state.held = null;
      state.next = [...values];
    },
    forget: () => void state.calls.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  response: ServerResponse,
  message: Json,
  state: { calls: SeenCall[]; held: ((call: SeenCall) => void) | null; next: Json[] },
): void {
  const send = (result: Json) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
  };
  const params = objectOf(message.params);
  if (message.method === 'initialize') {
    send({
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'makima', version: '1' },
    });
  } else if (message.method === 'tools/list') send({ tools: [echo] });
  else if (message.method === 'tools/call') {
    const args = objectOf(params.arguments);
    const meta = objectOf(params._meta);
    const toolId = textOf(meta['claudecode/toolUseId']) ?? textOf(meta.callId);
    const call = { name: textOf(params.name) ?? '', args, toolId };
    state.calls.push(call);
    if (state.held !== null) {
      state.held(call);
      return;
    }
    const value = state.next.shift() ?? { echo: args.value };
    send({ content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value });
  } else send({});
}

async function read(request: IncomingMessage): Promise<Json | null> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
