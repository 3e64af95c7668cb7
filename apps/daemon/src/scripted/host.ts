/**
 * What the steps of a script see of the agent that runs them.
 *
 * Law: a handler reaches the world only through this, and gives way at once when its signal is aborted.
 */
import type { ApiError, TurnOutcome } from '../driver/events.ts';
import type { Conversation } from './conversation.ts';
import type { Ledger } from './ledger.ts';
import type { Mailbox } from './mailbox.ts';
import type { McpClient } from './mcp-client.ts';
import type { Progress } from './progress.ts';
import type { FromAgent, Permission, StartLine } from './protocol.ts';

export interface Host {
  readonly start: StartLine;
  readonly cwd: string;
  readonly conversation: Conversation;
  readonly progress: Progress;
  readonly mailbox: Mailbox;
  readonly ledger: Ledger;
  /** Null when the run was given no tools. */
  readonly tools: McpClient | null;
  readonly variables: Record<string, unknown>;
  emit(line: FromAgent): void;
  /** Resolves with the answer to a question of ours. */
  answerTo(
    requestId: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Resolves with a person's word on a tool that we asked to use. */
  permissionFor(requestId: string, signal: AbortSignal): Promise<Permission>;
  /** From now on neither TERM nor an interrupt nor the end of stdin is heard. */
  goDeaf(): void;
}

export interface StepContext {
  readonly host: Host;
  /** The step's place: stable over resumes. */
  readonly key: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** It was begun before and its end is not known. */
  readonly begunBefore: boolean;
  /** What `prepare` noted when it was first begun. */
  readonly note: unknown;
  readonly signal: AbortSignal;
}

export interface Handler {
  /** Facts to be kept before the step begins, so that doing it again does not double it. */
  prepare?(args: StepContext['args'], host: Host): unknown;
  perform(context: StepContext): Promise<unknown>;
}

/** Thrown to end the turn from within a step. */
export class TurnOver extends Error {
  readonly outcome: TurnOutcome;
  readonly text: string;
  readonly error: ApiError | null;

  constructor(outcome: TurnOutcome, text: string, error: ApiError | null = null) {
    super(text);
    this.name = 'TurnOver';
    this.outcome = outcome;
    this.text = text;
    this.error = error;
  }
}
