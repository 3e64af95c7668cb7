/**
 * One attempt that lives on this machine, from its command to its end: what is known of it while it goes on.
 *
 * Law: an end is decided once; whoever decides it first (a turn, a stop, the agent's death) wins.
 */
import type { TaskStart } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { AgentSession } from '../driver/driver.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import type { DaemonContext } from '../context.ts';
import { createOutput, type Output } from './output.ts';
import { createUsage, type UsageCount } from './usage.ts';
import type { TaskRecord } from '../workspace/port.ts';

export type Outcome = ReportOf<'task.ended'>['outcome'];

export type LimitTold = NonNullable<ReportOf<'task.ended'>['limit']>;

/** Why and how an attempt ends. */
export interface Ending {
  /** Of `limited`. */
  readonly limit?: LimitTold;
  /** The conversation that it should have continued is nowhere. */
  readonly sessionLost?: true;
  /** What it was to begin with is not there: another try would not help. */
  readonly permanent?: true;
  readonly outcome: Outcome;
  readonly summary: string;
  readonly error: string | null;
  /** What the agent is given before it is killed. */
  readonly graceMs: number;
}

export interface LiveAttempt {
  readonly start: TaskStart;
  readonly runId: string;
  /** When it was last known to be ours: its command came, or a beat that was sent then was answered. */
  leasedAtMs: number;
  readonly output: Output;
  readonly mailbox: Mailbox;
  readonly usage: UsageCount;
  /** Aborts what goes on before the agent runs. */
  readonly cancel: AbortController;
  agent: AgentSession | null;
  record: TaskRecord | null;
  ending: Ending | null;
  /** How it ends as soon as its turn is over; null: nobody asked for that. */
  afterTurn: Ending | null;
  frozen: boolean;
  /** A usage limit rejects it; what was told of it. */
  limited: LimitTold | null;
  /** Turns that it has ended, of a task that works in rounds. */
  rounds: number;
  /** How it began, for the report. */
  resumedFrom: 'new' | 'session' | 'transcript';
  readonly exit: { code: number | null; signal: string | null };
  /** What has to be undone when the attempt is over: tokens, remembered secrets. */
  readonly undo: (() => void)[];
  /** Open questions of the agent's own, see `questions.ts`. */
  readonly asked: Map<string, AskedQuestion>;
  /** Whether a turn runs, and the tools that run in it: id to name. */
  readonly doing: { turn: boolean; readonly tools: Map<string, string> };
}

/** A question or permission that the agent waits for. */
export interface AskedQuestion {
  /** The driver's id of the request; several questions may belong to one. */
  readonly requestId: string;
  readonly kind: 'question' | 'permission';
  /** The driver's id of the question within the request. */
  readonly questionId: string;
  answer: readonly string[] | null;
}

export function createLive(context: DaemonContext, start: TaskStart): LiveAttempt {
  const { taskId, attempt } = start;
  return {
    start,
    runId: context.newId(),
    leasedAtMs: context.now(),
    output: createOutput({
      taskId,
      attempt,
      journal: context.journal,
      capBytes: context.config.outputCapBytes,
      gatherMs: context.config.timings.gatherMs,
      onTrouble: (error) =>
        context.log.error({ err: error, taskId, attempt }, 'output was not written'),
    }),
    mailbox: createMailbox({
      report: (messageId, state) =>
        void context.journal
          .report({ kind: 'message.received', taskId, attempt, messageId, state })
          .catch((error: unknown) =>
            context.log.error({ err: error, taskId }, 'a receipt was not written'),
          ),
    }),
    usage: createUsage(),
    cancel: new AbortController(),
    agent: null,
    record: null,
    ending: null,
    afterTurn: null,
    frozen: false,
    limited: null,
    rounds: 0,
    resumedFrom: 'new',
    exit: { code: null, signal: null },
    undo: [],
    asked: new Map(),
    doing: { turn: true, tools: new Map() },
  };
}

/** Decides the end, unless it is decided. What runs is told to stop; the life itself reports it. */
export function decideEnd(live: LiveAttempt, ending: Ending): void {
  if (live.ending !== null) return;
  live.ending = ending;
  live.mailbox.close();
  live.cancel.abort();
  void live.agent?.stop({ graceMs: ending.graceMs });
}
