/**
 * Reads everything that an agent tells, until its last event: lines to the output, receipts to the mailbox,
 * turns to their verdict.
 *
 * Law: reads always and to the end (receipts and answers come the same way); what is reported of a turn
 * stands behind the turn's own lines.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Report } from '@makima/contracts/socket/reports';
import { limits } from '@makima/domain/limits';
import { goOnWords, roundsUsedUp, saysComplete } from '@makima/domain/rounds';
import type { DaemonContext } from '../context.ts';
import type { AgentSession } from '../driver/driver.ts';
import type { AgentEvent, EventOf } from '../driver/events.ts';
import { startSpan, type Span } from '@makima/runtime/tracing';
import { attemptKey } from '../journal/state.ts';
import { cleanText, lineOf } from './lines.ts';
import { decideEnd, type LiveAttempt } from './live.ts';
import { noteDoing } from './doing.ts';
import { endWhenIdle } from './finish-turn.ts';
import { traced } from './traced.ts';
import { namedId } from './ids.ts';
import { cancelQuestions, openQuestions } from './questions.ts';
import { groupsOf } from './transcript.ts';
import { afterTurn, isLimited, wireOutcome, type TurnFacts } from './turns.ts';

const endGraceMs = 5_000;
/** Signs of silence after which the agent is woken, and after which it is given up. */
const wakeAtStall = 2;
const giveUpAtStall = 4;

/** Resolves after the agent's `exit`, when no process of it is left. */
export async function listen(
  context: DaemonContext,
  live: LiveAttempt,
  agent: AgentSession,
): Promise<void> {
  let turn: Span | undefined;
  try {
    for await (const event of agent.events) {
      const line = isOwnDoing(live, event) ? null : lineOf(event);
      if (line !== null) await live.output.add(line);
      noteDoing(live.doing, event);
      if (live.doing.turn) turn ??= startSpan({ name: 'agent turn' });
      else {
        turn?.end();
        turn = undefined;
      }
      await take(context, live, event);
      endWhenIdle(live);
      await tellUsage(context, live, event);
    }
  } finally {
    turn?.end();
  }
}

/** In the middle of a turn; what comes right before its end is told with that. */
async function tellUsage(
  context: DaemonContext,
  live: LiveAttempt,
  event: AgentEvent,
): Promise<void> {
  if (!live.usage.isUntold || live.ending !== null) return;
  if (event.t === 'usage' || event.t === 'turn_end') return;
  const usage = live.usage.total();
  if (usage !== null) await report(context, { kind: 'task.used', ...fence(live), usage });
}

/** Broken off because it was parked: no fault that anybody should read of. */
function isOwnDoing({ ending }: LiveAttempt, event: AgentEvent): boolean {
  if (ending?.outcome !== 'parked') return false;
  return event.t === 'turn_end' || (event.t === 'tool_end' && event.cause !== 'finished');
}

async function take(context: DaemonContext, live: LiveAttempt, event: AgentEvent): Promise<void> {
  switch (event.t) {
    case 'message':
      return live.mailbox.receipt(event.id, event.state);
    case 'usage':
      return live.usage.see(event);
    case 'limit':
      if (event.status === 'rejected')
        live.limited = { resetsAt: isoTime(event.resetsAtMs), window: event.window };
      return;
    case 'transcript':
      return storeTranscript(context, live, event);
    case 'question':
    case 'permission':
      for (const asked of openQuestions(live, event)) {
        await report(context, { kind: 'agent.asked', ...fence(live), ...asked });
      }
      return;
    case 'request_cancelled':
      for (const requestId of cancelQuestions(live, event.requestId)) {
        // Who is ended by us may ask again when it goes on: its question stays.
        if (live.ending === null)
          await report(context, { kind: 'agent.withdrew', ...fence(live), requestId });
      }
      return;
    case 'turn_end':
      return onTurn(context, live, event);
    case 'stalled':
      return onStall(context, live, event);
    case 'exit':
      live.exit.code = event.code;
      live.exit.signal = event.signal;
      return;
    case 'started':
      return live.usage.model(event.model);
    case 'state':
    case 'text':
    case 'tool_start':
    case 'tool_progress':
    case 'tool_end':
    case 'retry':
    case 'compacted':
    case 'log':
  }
}

async function onTurn(
  context: DaemonContext,
  live: LiveAttempt,
  event: EventOf<'turn_end'>,
): Promise<void> {
  // Its end is decided and tells everything: that it was broken off for it is no news.
  if (live.ending !== null) return;
  const waitingMessages = live.mailbox.waiting;
  const verdict = afterTurn({
    outcome: event.outcome,
    isLimited: isLimited(live.limited, event.error),
    waitingMessages,
    isSupervisor: live.start.isSupervisor,
    rounds: roundsOf(live, event),
  });
  const text = cleanText(event.text);
  const error = event.error === null ? null : cleanText(event.error.message);
  const limit = live.limited ?? { resetsAt: null, window: null };
  live.limited = null;
  if (verdict === 'done') {
    decideEnd(live, { outcome: 'done', summary: text, error: null, graceMs: endGraceMs });
    return;
  }
  if (verdict === 'failed') {
    const why = error ?? `the turn ended: ${event.outcome}`;
    decideEnd(live, { outcome: 'failed', summary: text, error: why, graceMs: endGraceMs });
    return;
  }
  if (verdict === 'used_up') {
    const why = roundsUsedUp(live.rounds + 1);
    decideEnd(live, { outcome: 'failed', summary: text, error: why, graceMs: endGraceMs });
    return;
  }
  if (verdict === 'limited') {
    decideEnd(live, { outcome: 'limited', summary: text, error, limit, graceMs: endGraceMs });
    return;
  }
  if (live.afterTurn !== null) {
    decideEnd(live, { ...live.afterTurn, summary: text });
    return;
  }
  // With messages waiting the next turn begins by itself: there is no pause to tell of.
  if (verdict === 'wait' && waitingMessages > 0) return;
  await live.output.flush();
  await report(context, {
    kind: 'task.turn_ended',
    ...traced(),
    ...fence(live),
    outcome: wireOutcome(event.outcome),
    text,
    error,
    usage: live.usage.total(),
  });
  if (verdict === 'again') goOn(context, live);
}

/** The round that this turn ends, of a task that works in rounds. */
function roundsOf(live: LiveAttempt, event: EventOf<'turn_end'>): TurnFacts['rounds'] {
  const { autonomousLoop, loopRoundsMax = limits.loopRoundsMax } = live.start;
  if (!autonomousLoop) return null;
  return { done: live.rounds + 1, max: loopRoundsMax, isComplete: saysComplete(event.text) };
}

function goOn(context: DaemonContext, live: LiveAttempt): void {
  const { loopRoundsMax = limits.loopRoundsMax } = live.start;
  live.rounds += 1;
  const id = namedId('round', live.runId, live.rounds);
  // Not awaited: its receipt is an event that only this loop reads.
  void live.agent
    ?.send({ id, text: goOnWords(live.rounds + 1, loopRoundsMax) })
    .catch((error: unknown) => {
      context.log.warn({ err: error, ...fence(live) }, 'a round did not begin');
      const words = 'its agent did not take the word to go on';
      decideEnd(live, { outcome: 'failed', summary: '', error: words, graceMs: endGraceMs });
    });
}

async function onStall(
  context: DaemonContext,
  live: LiveAttempt,
  event: EventOf<'stalled'>,
): Promise<void> {
  const { agent } = live;
  if (agent === null || event.count < wakeAtStall) return;
  if (event.count >= giveUpAtStall) {
    const error = `no sign of life for ${Math.round(event.silentMs / 1000)} s`;
    decideEnd(live, { outcome: 'failed', summary: '', error, graceMs: endGraceMs });
    return;
  }
  if (event.count > wakeAtStall) return;
  // Not awaited: the answer to it is an event that only this loop reads.
  void agent
    .interrupt()
    .then(() => agent.send({ id: context.newId(), text: 'Please continue.' }))
    .catch((error: unknown) => context.log.warn({ err: error, ...fence(live) }, 'a silent agent'));
}

async function storeTranscript(
  context: DaemonContext,
  live: LiveAttempt,
  event: EventOf<'transcript'>,
): Promise<void> {
  const { taskId, attempt } = live.start;
  let { replace } = event;
  await room(context, live);
  // Before it is cut in pieces, so that no secret is cut in halves.
  const clean = event.lines.map((line) => context.secrets.redact(line.toWellFormed()));
  for (const lines of groupsOf(clean)) {
    const known = context.journal.state.attempts.get(attemptKey(taskId, attempt));
    const fromSeq = (known?.transcriptSeq ?? 0) + 1;
    const replaces = replace ? { replaces: true } : {};
    await report(context, {
      kind: 'transcript.stored',
      taskId,
      attempt,
      fromSeq,
      lines,
      ...replaces,
    });
    replace = false;
  }
}

/** A transcript must not have holes: when the journal is full, the agent waits. */
async function room(context: DaemonContext, live: LiveAttempt): Promise<void> {
  while (context.journal.full && live.ending === null) await pause(100);
}

/** A report that waits for the disk, and is told of in the log when the journal is closed already. */
async function report(context: DaemonContext, what: Report): Promise<void> {
  await context.journal.report(what).catch((error: unknown) => {
    context.log.error({ err: error, kind: what.kind }, 'a report was not written');
  });
}

function fence(live: LiveAttempt): { readonly taskId: string; readonly attempt: number } {
  return { taskId: live.start.taskId, attempt: live.start.attempt };
}

const isoTime = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();
