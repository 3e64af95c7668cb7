/**
 * What a mock model is told to answer: words, tool calls, or one of the ways in which real ones fail.
 *
 * Law: data; the same reply in the same place gives the same answer on every run, whichever house's protocol
 * carries it.
 */

export interface ToolUse {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Default: derived from the conversation and the place, so that a repeated request repeats it. */
  readonly id?: string;
}

export interface ModelError {
  /** HTTP status. */
  readonly status: number;
  /** The house's own word for it, e.g. `rate_limit_error`. */
  readonly type: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  /** Further fields of the error, where the house's protocol has them. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly thinking?: string;
  readonly text?: string;
  readonly tools?: readonly ToolUse[];
  readonly error?: ModelError;
  /** The first `times` requests for this step meet the fault, later ones get the rest of the reply. */
  readonly times?: number;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Never answers: before the headers, or after that many events of the stream. */
  readonly hang?: 'before_headers' | { readonly afterEvents: number };
  /** The connection is cut after that many events of the stream (unstreamed: before the answer). */
  readonly cutAfterEvents?: number;
  readonly delayMs?: number;
  /** Pause between two events of the stream. */
  readonly betweenEventsMs?: number;
}

/** A request to a model, the same for every house. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Names of the tools that the agent offers. None: a side call (title, compaction). */
  readonly tools: readonly string[];
  readonly messages: readonly ModelMessage[];
  /** The agent's own session id, when it tells. */
  readonly session: string | null;
}

export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly text: string;
}

/** Where in which script a request stands. */
export interface Place {
  readonly script: string | null;
  /** Assistant turns since the marker, from 0. */
  readonly step: number;
  /** How often this very step was asked for before. */
  readonly asked: number;
}

/** A step of a script: a reply, or how it follows from the request. */
export type ScriptStep = Reply | ((request: ModelRequest, place: Place) => Reply);

/** Steps by script name. After the last step the last one is repeated. */
export type Scripts = Readonly<Record<string, readonly ScriptStep[]>>;
