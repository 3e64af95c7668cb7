/**
 * What agents tell, in one vocabulary for all kinds.
 *
 * Law: facts, not wishes; an unknown line of an agent is a `log`, never an error and never lost in silence.
 */

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** Why a model could not be asked. */
export type ApiErrorKind =
  | 'rate_limit'
  | 'overloaded'
  | 'server'
  | 'auth'
  | 'billing'
  | 'invalid'
  | 'too_long'
  | 'network'
  | 'unknown';

export interface ApiError {
  readonly kind: ApiErrorKind;
  /** HTTP status of the model's house, when one came. */
  readonly status: number | null;
  readonly message: string;
}

/** `limited`: a usage limit rejects it until its reset. `waiting_input`: a question or permission is open. */
export type AgentState = 'idle' | 'working' | 'waiting_input' | 'retrying' | 'limited' | 'exited';

export type ToolKind = 'shell' | 'edit' | 'read' | 'mcp' | 'agent' | 'other';

export interface AgentQuestion {
  readonly id: string;
  readonly header?: string;
  readonly text: string;
  readonly options: readonly { readonly label: string; readonly description?: string }[];
  readonly multi: boolean;
  /** Own words are accepted beside the options. */
  readonly free: boolean;
}

export type TurnOutcome =
  | 'completed'
  | 'interrupted'
  | 'failed'
  /** A guard deferred a tool call: the process exits, a resume puts the call to the guard again. */
  | 'deferred'
  | 'max_turns'
  | 'max_budget'
  | 'too_long';

export type AgentEventBody =
  /** Once per process, before anything else of substance. */
  | {
      readonly t: 'started';
      readonly sessionId: string;
      readonly model: string | null;
      readonly tools: readonly string[];
      readonly servers: readonly { readonly name: string; readonly status: string }[];
      readonly version: string;
      readonly resumed: boolean;
    }
  | { readonly t: 'state'; readonly state: AgentState }
  /** `delta`: a piece of the message; the same `messageId` then comes once whole with `delta: false`. */
  | {
      readonly t: 'text';
      readonly messageId: string;
      readonly text: string;
      readonly delta: boolean;
      readonly thinking: boolean;
      /** The tool call (a sub-agent) that speaks here. */
      readonly parentTool: string | null;
    }
  | {
      readonly t: 'tool_start';
      /** Stable id of the call: the same after a kill and a resume when the call is repeated. */
      readonly toolId: string;
      readonly name: string;
      readonly kind: ToolKind;
      readonly input: unknown;
      /** One line for people. */
      readonly title: string;
      readonly parentTool: string | null;
    }
  /** The tool still runs. */
  | {
      readonly t: 'tool_progress';
      readonly toolId: string;
      readonly elapsedMs: number;
      readonly note: string | null;
    }
  | {
      readonly t: 'tool_end';
      readonly toolId: string;
      readonly ok: boolean;
      readonly output: string;
      /** `output` was shortened by us. */
      readonly truncated: boolean;
      /** How it ended when not by itself: refused, broken off, or its end was never told. */
      readonly cause: 'finished' | 'denied' | 'aborted' | 'unseen';
    }
  /** Receipt of a message: taken over, read by the agent, its turn over, taken back. */
  | {
      readonly t: 'message';
      readonly id: string;
      readonly state: 'queued' | 'delivered' | 'done' | 'cancelled';
    }
  | {
      readonly t: 'question';
      readonly requestId: string;
      /** Stable over resumes where the kind allows: key of the question. */
      readonly toolId: string | null;
      readonly questions: readonly AgentQuestion[];
    }
  | {
      readonly t: 'permission';
      readonly requestId: string;
      readonly toolId: string | null;
      readonly tool: string;
      readonly input: unknown;
      readonly reason: string | null;
    }
  /** A question or permission needs no answer any more (its turn was broken off). */
  | { readonly t: 'request_cancelled'; readonly requestId: string }
  /** The model could not be asked; the agent tries again by itself after `delayMs`. */
  | {
      readonly t: 'retry';
      readonly attempt: number;
      readonly max: number;
      readonly delayMs: number;
      readonly error: ApiError;
    }
  | {
      readonly t: 'limit';
      readonly status: 'warning' | 'rejected';
      readonly window: string | null;
      /** 0..1 of the window used. */
      readonly utilization: number | null;
      /** Epoch milliseconds. */
      readonly resetsAtMs: number | null;
    }
  | {
      readonly t: 'usage';
      readonly turn: Tokens;
      /** Since the conversation began, as far as the agent tells. */
      readonly total: Tokens;
      /** Since the conversation began. */
      readonly costUsd: number | null;
      readonly contextSize: number | null;
    }
  | {
      readonly t: 'turn_end';
      readonly outcome: TurnOutcome;
      /** The agent's last words of the turn. */
      readonly text: string;
      readonly error: ApiError | null;
      readonly deferred: {
        readonly toolId: string;
        readonly name: string;
        readonly input: unknown;
      } | null;
    }
  /** Lines added to the conversation; `replace`: they are the whole of it. */
  | { readonly t: 'transcript'; readonly lines: readonly string[]; readonly replace: boolean }
  | { readonly t: 'compacted' }
  /** No event for `silentMs` while it should work and no tool runs; `count` since the last sign of life. */
  | { readonly t: 'stalled'; readonly silentMs: number; readonly count: number }
  /** `cutBytes` > 0: the line was that long and only its head stands here. */
  | {
      readonly t: 'log';
      readonly stream: 'stdout' | 'stderr' | 'driver';
      readonly line: string;
      readonly cutBytes: number;
    }
  /** Always the last one. `expected`: we asked for it, or the agent parked or finished by itself. */
  | {
      readonly t: 'exit';
      readonly code: number | null;
      readonly signal: string | null;
      readonly expected: boolean;
    };

/** `seq` counts from 1 within the run, without gaps; `atMs` is the daemon's clock. */
export type AgentEvent = AgentEventBody & {
  readonly seq: number;
  readonly atMs: number;
  readonly runId: string;
};

/** The event of one kind: `EventOf<'tool_start'>`. */
export type EventOf<T extends AgentEventBody['t']> = Extract<AgentEventBody, { t: T }>;
