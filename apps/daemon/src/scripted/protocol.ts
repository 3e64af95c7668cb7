/**
 * The lines between the scripted agent and its driver: newline JSON on stdio, like the real agents'.
 *
 * Law: the agent's lines are the driver's events in the same words, so that the translation is a check and
 * nothing more.
 */
import type { AgentEventBody } from '../driver/events.ts';

/** The first line to the agent: everything that it needs to begin or to go on. */
export interface StartLine {
  readonly type: 'start';
  readonly sessionId: string;
  readonly mode: 'new' | 'resume';
  readonly taskId: string;
  readonly attempt: number;
  readonly runId: string;
  /** The conversation's file. */
  readonly sessionFile: string;
  /** MCP endpoint; its token stands in the environment as MAKIMA_TOKEN. */
  readonly toolsUrl: string | null;
  readonly model: string | null;
  /** `ask`: a person is asked before it changes files or runs a program. */
  readonly permission: 'bypass' | 'ask';
}

export type ToAgent =
  | StartLine
  /** The first messages have been said: begin, or go on. */
  | { readonly type: 'go' }
  | {
      readonly type: 'message';
      readonly id: string;
      readonly text: string;
      readonly when: 'now' | 'next' | 'later';
    }
  | { readonly type: 'interrupt' }
  | {
      readonly type: 'answer';
      readonly requestId: string;
      readonly answers: Readonly<Record<string, readonly string[]>>;
    }
  | ({ readonly type: 'permission'; readonly requestId: string } & Permission);

export interface Permission {
  readonly allow: boolean;
  /** Why not; for whoever reads the refusal. */
  readonly message: string;
}

/** What the driver adds by itself is not for the agent to say. */
export type FromAgent =
  | Exclude<AgentEventBody, { t: 'stalled' | 'exit' }>
  /** The start failed: a reason of `start-failure.ts`. */
  | {
      readonly t: 'start_failed';
      readonly reason: 'no_conversation' | 'in_use';
      readonly message: string;
    };

export const scriptedVersion = '1.0.0';
