/**
 * A house's way to speak of the same things: how its requests are read and its answers written. A further
 * house (OpenAI Responses, OpenAI Chat, Gemini) is a further file with one of these.
 *
 * Law: pure translation; faults, delays and the log are the server's.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ModelError, ModelRequest, Reply } from './reply.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string | null;
  readonly data: string;
}

export interface Incoming {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A reply whose tool calls all have their ids. */
export type Answer = Omit<Reply, 'tools'> & {
  readonly id: string;
  readonly tools: readonly {
    readonly name: string;
    readonly input: unknown;
    readonly id: string;
  }[];
};

export interface ModelProtocol {
  readonly name: string;
  /** A request that needs no script (token counts): its whole answer, or null. */
  aside(incoming: Incoming): unknown;
  /** The request, or null when the path is not this house's. */
  read(incoming: Incoming): ModelRequest | null;
  stream(request: ModelRequest, answer: Answer): Iterable<ServerEvent>;
  whole(request: ModelRequest, answer: Answer): unknown;
  error(error: ModelError): unknown;
}
