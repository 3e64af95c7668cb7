/**
 * The one interface behind which every coding agent stands. A driver knows how to find and start one kind of
 * agent; a session is one live process of it; events are everything that it tells, in one vocabulary.
 *
 * Law: whoever uses a session never asks which kind it is, only what it can do (`caps`). Every driver passes
 * the same conformance suite (`conformance.ts`).
 */
import type { AgentEvent } from './events.ts';

/** Kinds of agents with a driver. */
export const agentKinds = ['scripted', 'claude', 'codex', 'gemini', 'opencode', 'acp'] as const;
export type AgentKind = (typeof agentKinds)[number];

/** What an agent of this kind can do. */
export interface AgentCaps {
  /** Where a message sent while it works arrives: in the running turn, in the next one, or nowhere. */
  readonly inject: 'mid_turn' | 'next_turn' | 'none';
  readonly interrupt: boolean;
  /** `transcript`: a conversation goes on anywhere from its lines; `local`: only where it was. */
  readonly resume: 'transcript' | 'local' | 'none';
  /** It asks its own questions (event `question`, answered by `answer`). */
  readonly questions: boolean;
  /** It can be held to `permission: 'ask'` and `'plan'`; without this a start with either is refused. */
  readonly permissions: boolean;
  /** Its calls of makima's tools carry the id that `tool_start` tells, so that a repeated call is one call. */
  readonly toolIds: boolean;
  /** `StartSpec.guard` is asked before each of its tool calls. */
  readonly toolGate: boolean;
  /** Between turns its process may end and be resumed later at no loss. */
  readonly park: boolean;
  /** It keeps `limits.maxTurns` and `maxBudgetUsd`; without this a start with either is refused. */
  readonly turnLimits: boolean;
  /** It tells of usage limits with the time of their reset. */
  readonly rateLimits: boolean;
  /**
   * `told`: each new try to ask its model is an event; `silent`: only the watchdog of silence tells; `none`: it
   * asks no model.
   */
  readonly retries: 'told' | 'silent' | 'none';
  /** What a failed turn tells of its model's error: the HTTP status, or words alone. */
  readonly modelErrors: 'status' | 'words' | 'none';
  /** Settings of the repository that execute (hooks, tool servers) take part when it is trusted. */
  readonly projectSettings: boolean;
  /** What its use is told in: tokens and dollars of its own reckoning over the whole conversation, tokens alone (the cost is derived from MAKIMA_PRICES), or nothing. */
  readonly cost: 'usd' | 'tokens' | 'none';
  /** It streams its transcript while it grows. */
  readonly mirror: boolean;
}

/** What an agent's own tool call looks like to a guard. */
export interface ToolCall {
  readonly toolId: string;
  readonly name: string;
  readonly input: unknown;
}

/**
 * The guard's verdict. `deny`: the message is what the model reads. `defer`: the turn ends with outcome
 * `deferred` and the process leaves; after a resume the call is made again under the same id. Whether the
 * guard is asked again then is not certain (Claude Code may go on before its hooks are set), so only a call
 * whose tool decides by that id may be deferred.
 */
export type GuardVerdict =
  | { readonly verdict: 'allow'; readonly input?: Readonly<Record<string, unknown>> }
  | { readonly verdict: 'deny'; readonly message: string }
  | { readonly verdict: 'defer' };

export type ToolGuard = (call: ToolCall) => Promise<GuardVerdict>;

/** A message for an agent. The id is a uuid and the idempotency key: the same id is never run twice. */
export interface AgentMessage {
  readonly id: string;
  readonly text: string;
}

export interface StartSpec {
  /** One process, one run. Stands in the environment of everything that the agent starts. */
  readonly runId: string;
  readonly taskId: string;
  /** The fence: attempt of the task, epoch of a supervisor. */
  readonly attempt: number;
  /** The conversation (a uuid of ours). The same for all runs that continue it. */
  readonly sessionId: string;
  /** The agent's working directory. */
  readonly cwd: string;
  /** Private directory of this run: `run.json` and settings. Created when missing. */
  readonly home: string;
  /** `resume` continues `sessionId`; without its transcript it fails with reason `no_conversation`. */
  readonly mode: 'new' | 'resume';
  /**
   * First message. A resume without one waits (or, if its turn was cut, goes on when the kind can); so does one
   * whose prompt the conversation knows by its id: give a resume a message of its own.
   */
  readonly prompt?: AgentMessage;
  readonly model?: string;
  /** Text added to the agent's system prompt. */
  readonly systemAppend?: string;
  /** The daemon's MCP endpoint for this run: loopback url and bearer token. */
  readonly tools?: { readonly url: string; readonly token: string };
  readonly limits?: AgentLimits;
  /** Extra environment. Names that could carry the daemon's own secrets are refused. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of the conversation to write back before the start (resume on another machine). */
  readonly transcript?: readonly string[] | AsyncIterable<string>;
  /** `bypass`: ordinary tools run unasked; `ask`: event `permission` for each; `plan`: reads only. */
  readonly permission: 'bypass' | 'ask' | 'plan';
  /**
   * The person vouches for the repository: what its own settings execute (hooks, tool servers) may take part.
   * Default false: nothing of the repository is executed but by the agent's own tools.
   */
  readonly trusted?: boolean;
  /** Asked before each tool call, where `caps.toolGate`. A guard that throws denies. */
  readonly guard?: ToolGuard;
}

export interface AgentLimits {
  readonly maxTurns?: number;
  readonly maxBudgetUsd?: number;
  /** Silence while working after which `stalled` is told. Default 300 000. */
  readonly stallMs?: number;
  /** Longest time to readiness. Default 180 000. */
  readonly startMs?: number;
  /** Longest line that is taken whole; a longer one is cut and told as `log`. Default 4 MiB. */
  readonly lineBytes?: number;
}

/** Answer to `question`: for each question id the labels or words chosen. */
export interface QuestionAnswer {
  readonly kind: 'question';
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

/** Answer to `permission`. A denial's message is what the model reads. */
export type PermissionAnswer =
  | {
      readonly kind: 'permission';
      readonly allow: true;
      readonly input?: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'permission'; readonly allow: false; readonly message: string };

/** What was found of an agent's program, without a call of a model. */
export interface AgentProbe {
  readonly kind: AgentKind;
  /** The program, or null when it is not there. */
  readonly path: string | null;
  readonly version: string | null;
  /** The version lies in the range that the conformance suite was run with. */
  readonly tested: boolean;
  /** Null: cannot be told without asking the model's house. */
  readonly signedIn: boolean | null;
  /** One sentence on what is missing and how to mend it. */
  readonly problem: string | null;
  /** A name of the signed-in account, the same on every machine; absent where it cannot be told. */
  readonly account?: string;
}

export interface ExitInfo {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface StopResult extends ExitInfo {
  /** Processes of this run that outlived the agent and were killed. */
  readonly swept: number;
}

export interface AgentDriver {
  readonly kind: AgentKind;
  readonly caps: AgentCaps;
  probe(): Promise<AgentProbe>;
  /**
   * Starts the agent; resolves when it is ready and has been given its prompt.
   * @throws MakimaError `COMMAND_FAILED` with `details.reason` (see `start-failure.ts`); no process is left.
   */
  start(spec: StartSpec): Promise<AgentSession>;
}

export interface AgentSession {
  readonly kind: AgentKind;
  readonly runId: string;
  readonly pid: number;
  readonly sessionId: string;
  /**
   * Everything that the agent tells, once, for one reader; ends after `exit`. The queue is bounded: when the
   * reader falls behind, the agent's output is not read and the agent waits on its pipe. So read always:
   * receipts and answers come the same way.
   */
  readonly events: AsyncIterable<AgentEvent>;
  /**
   * Resolves when the agent has taken the message over (receipt `queued`, or any later one for an id that it
   * knows). `now` breaks off what it does, `next` (default) arrives at the next pause, `later` after the turn.
   * @throws MakimaError `COMMAND_FAILED` when the agent is gone or does not take it in 10 s.
   */
  send(message: AgentMessage & { readonly when?: 'now' | 'next' | 'later' }): Promise<void>;
  /** Ends the running turn (outcome `interrupted`); false when there was none or it did not hear in 5 s. */
  interrupt(): Promise<boolean>;
  /** Answers a `question` or `permission`. An unknown or already answered id is ignored (false). */
  answer(requestId: string, answer: QuestionAnswer | PermissionAnswer): Promise<boolean>;
  /**
   * Ends the process between turns so that it costs nothing; a later resume goes on. False while a turn runs.
   */
  park(): Promise<boolean>;
  /**
   * Ends the run: interrupt, close of stdin, TERM, KILL, then the sweep of everything that carries its run id.
   * Safe to call twice. Never rejects.
   */
  stop(options: { readonly graceMs: number }): Promise<StopResult>;
  /** Stops (SIGSTOP) every process of the run: its lease is in doubt. Returns how many. */
  freeze(): number;
  thaw(): number;
}
