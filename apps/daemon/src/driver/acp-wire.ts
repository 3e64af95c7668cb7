/**
 * JSON-RPC with an agent that speaks the Agent Client Protocol: the official SDK's connection, fed with lines
 * and giving lines.
 *
 * Law: what an agent sends is taken in its order. The SDK promises none between notifications and responses, so
 * notifications are read here, and those behind a response wait until whoever asked has read it. Whatever fits
 * nowhere is a stray line, never an exception.
 */
import type {
  AnyMessage,
  ClientContext,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import { client, methods } from '@agentclientprotocol/sdk';
import type { Json } from './json.ts';
import { jsonOf, objectOf } from './json.ts';

export interface AcpWire {
  /** Requests to the agent, typed by their method. */
  readonly agent: ClientContext;
  read(line: string): void;
  /** The process is gone: requests that wait are rejected. */
  close(): void;
}

export interface AcpHandlers {
  writeLine(line: string): void;
  update(update: Json): void;
  permission(request: RequestPermissionRequest): Promise<RequestPermissionResponse>;
  stray(line: string): void;
}

export function acpWire(handlers: AcpHandlers): AcpWire {
  /** Ids of our requests without a response. */
  const asked = new Set<unknown>();
  let incoming: ReadableStreamDefaultController<AnyMessage> | null = null;
  const readable = new ReadableStream<AnyMessage>({
    start(controller) {
      incoming = controller;
    },
  });
  const writable = new WritableStream<AnyMessage>({
    write(message) {
      if ('method' in message && 'id' in message) asked.add(message.id);
      handlers.writeLine(JSON.stringify(message));
    },
  });
  const take = (line: string): void => {
    const message = jsonOf(line);
    if (message === null) handlers.stray(line);
    else if (message.method === methods.client.session.update && message.id === undefined) {
      handlers.update(objectOf(objectOf(message.params).update));
    } else if (isRequest(message)) incoming?.enqueue(message as unknown as AnyMessage);
    else if (asked.delete(message.id)) {
      incoming?.enqueue(message as unknown as AnyMessage);
      wait();
    } else handlers.stray(line);
  };
  /** Lines behind a response that is being read; null: none is. */
  let behind: string[] | null = null;
  const wait = (): void => {
    behind ??= [];
    setImmediate(goOn);
  };
  const goOn = (): void => {
    const lines = behind ?? [];
    behind = null;
    for (const line of lines) read(line);
  };
  const read = (line: string): void => {
    if (behind === null) take(line);
    else behind.push(line);
  };
  const connection = client({ name: 'makima' })
    .onRequest(methods.client.session.requestPermission, ({ params }) =>
      handlers.permission(params),
    )
    .connect({ readable, writable });
  return {
    agent: connection.agent,
    read,
    close() {
      // What it said last is heard, though nobody waits for its answers any more.
      while (behind !== null) goOn();
      connection.close();
    },
  };
}

function isRequest(message: Json): boolean {
  return typeof message.method === 'string' && message.id !== undefined;
}
