/**
 * What differs between agents that speak ACP: where the program is, how it is called, which settings it is
 * given, how it names its tools and tells of errors.
 *
 * Law: data and small functions; whatever the protocol itself says is the same for all and stands elsewhere.
 */
import type { ClientContext } from '@agentclientprotocol/sdk';
import type { AgentCaps, AgentKind, AgentProbe, StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import type { ApiError, Tokens } from './events.ts';
import type { Json } from './json.ts';

/** What a start of this kind needs of its profile. */
export interface AcpRun {
  readonly spec: StartSpec;
  /** The agent's environment so far. */
  readonly env: Environment;
  /** Where this conversation is kept, over all runs. */
  readonly folder: string;
  /** Where what all conversations of this kind share is kept. */
  readonly shared: string;
  /** The agent's own session that held the conversation last on this machine; null: none that is current. */
  readonly agentSession: string | null;
}

export interface AcpLaunch {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly env: Environment;
  /** The agent's own session that it can load again; null: a fresh one is opened and told the record. */
  readonly load: AcpLoad | null;
  /** It is given makima's tools as tools; false: it has them in its shell alone (`makima supervisor`). */
  readonly takesTools: boolean;
  /** What a person should know of how it is started. */
  readonly notes: readonly string[];
  /** Text that must be said with the first message, for an agent without instructions of its own. */
  readonly preface: string | null;
  /** What is left to set once its session is open. */
  settle(session: OpenSession): Promise<void>;
  /** What the agent tells beside the protocol; null: nothing. */
  readonly news: ((session: OpenSession, tell: NewsReader) => { close(): void }) | null;
}

export interface AcpLoad {
  readonly sessionId: string;
  /** What it tells of the past may come after its answer: these words in it are the last. */
  readonly pastEnds: string | null;
}

export interface OpenSession {
  readonly agent: ClientContext;
  readonly sessionId: string;
  readonly opened: Json;
}

export interface NewsReader {
  /** The agent tries again by itself. */
  retrying(news: {
    readonly attempt: number;
    readonly message: string;
    readonly atMs: number;
  }): void;
  /** What the failure of the running request was in truth. */
  failed(error: ApiError): void;
  log(line: string): void;
}

/** A request to the agent that failed. */
export interface AcpFailure {
  readonly error: ApiError;
  /** Told moment from which it may be asked again. */
  readonly againAtMs: number | null;
}

export interface AcpProfile {
  readonly kind: AgentKind;
  readonly caps: AgentCaps;
  /** The person's own variables that are about this agent and may reach it. */
  readonly environmentNames: readonly RegExp[];
  probe(env: Environment): Promise<AgentProbe>;
  /** @throws MakimaError with a start failure's reason. */
  prepare(run: AcpRun): Promise<AcpLaunch>;
  /** The start failed by bad luck: prepared anew, it may succeed. */
  mayStartAgain(cause: unknown): boolean;
  /** The name of a tool, by what its first update says. */
  toolName(call: { readonly toolId: string; readonly title: string }): string;
  /** The call was of a tool that it has not, whatever it says of its success. */
  isRefused(update: Json): boolean;
  /** A message as it must be said so that it is taken for words, not for a command of the agent's own. */
  words(text: string): string;
  /** Tokens of a turn, by what its request returned. */
  usageOf(result: Json): Tokens;
  failureOf(cause: unknown): AcpFailure;
  /** Who asks the model again after a failure. */
  readonly retriedBy: 'driver' | 'agent';
}

/** A repository may say what is executed when it is trusted; where the model is, it never says. */
export const steering =
  'The settings of the repository say where the model is, or cannot be read: none of them take part, though it is trusted.';

export const noTokens: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
