/**
 * A door for tools as the API and the daemon open it, for tests of programs that call tools.
 *
 * Law: it speaks MCP's streamable HTTP, whole or in events, and answers what a test says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { problemInMeta, toProblem } from '@makima/contracts/problem';
import { isMakimaError } from '@makima/domain/error';

export interface ToolCalled {
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly toolUseId: string;
  readonly authorization: string | undefined;
}

/** Throws a MakimaError to refuse as a tool does. */
export type ToolHandler = (call: ToolCalled) => Record<string, unknown>;

export interface ToolServer {
  readonly url: string;
  readonly calls: readonly ToolCalled[];
  readonly close: () => Promise<void>;
}

export async function startToolServer(
  tools: Readonly<Record<string, ToolHandler>>,
  options: {
    /** Sees each request first; true when it took it over. */
    readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
    readonly stream?: true;
  } = {},
): Promise<ToolServer> {
  const calls: ToolCalled[] = [];
  const server = createServer((request, response) => {
    if (options.intercept?.(request, response)) return;
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { id, params } = JSON.parse(await text(request)) as {
      readonly id: string;
      readonly params: {
        readonly name: string;
        readonly arguments: Record<string, unknown>;
        readonly _meta: Record<string, string>;
      };
    };
    const call: ToolCalled = {
      name: params.name,
      args: params.arguments,
      toolUseId: params._meta['makima/toolUseId'] ?? '',
      authorization: request.headers.authorization,
    };
    calls.push(call);
    const message = JSON.stringify({ jsonrpc: '2.0', id, ...resultOf(tools, call) });
    if (options.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(message);
      return;
    }
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: message\ndata: ${JSON.stringify(progress)}\n\n`);
    response.end(`event: message\ndata: ${message}\n\n`);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function resultOf(tools: Readonly<Record<string, ToolHandler>>, call: ToolCalled): object {
  const tool = tools[call.name];
  if (tool === undefined)
    return { error: { code: -32_602, message: `Tool ${call.name} not found` } };
  try {
    const value = tool(call);
    const content = [{ type: 'text', text: JSON.stringify(value) }];
    return { result: { content, structuredContent: value } };
  } catch (error) {
    if (!isMakimaError(error)) throw error;
    const content = [{ type: 'text', text: `${error.code}: ${error.message}` }];
    const _meta = { [problemInMeta]: toProblem(error, 'req-test') };
    return { result: { content, isError: true, _meta } };
  }
}
