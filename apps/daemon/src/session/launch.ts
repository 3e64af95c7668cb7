/**
 * Starts the agent of an attempt: its tool key, its loopback token, its conversation (new, from this machine,
 * or from the transcript that the server holds).
 *
 * Law: the intent is on the disk before anything is executed, so that one attempt starts at most one agent,
 * whatever dies when.
 */
import { MakimaError } from '@makima/domain/error';
import { startedAnew } from '@makima/domain/notice';
import { racepoint } from '@makima/runtime/racepoint';
import type { DaemonContext, InstalledDriver } from '../context.ts';
import type { AgentMessage, AgentSession, StartSpec } from '../driver/driver.ts';
import { processRow } from '../driver/process-table.ts';
import { startFailureReason } from '../driver/start-failure.ts';
import { join } from 'node:path';
import type { TaskRecord } from '../workspace/port.ts';
import { namedId } from './ids.ts';
import { joinPieces } from './transcript.ts';
import type { LiveAttempt } from './live.ts';
import { withPatience } from './patience.ts';

const goOn = `${startedAnew} Continue with your task where you left off; check what of your last step took effect.`;

/** @throws MakimaError when the agent cannot be started; no process is left then. */
export async function launch(
  context: DaemonContext,
  live: LiveAttempt,
  former: TaskRecord | null,
): Promise<AgentSession> {
  const { start, runId } = live;
  const installed = context.drivers.get(start.agent);
  if (installed === undefined) {
    throw new MakimaError('COMMAND_FAILED', `No agent of kind "${start.agent}" is known here.`, {
      fix: `Install it on this machine or choose one of: ${[...context.drivers.keys()].join(', ')}.`,
    });
  }
  const tools = await openTools(context, live);
  const { taskId, attempt } = start;
  const note = { taskId, attempt, runId, pid: null, startTime: null };
  await context.journal.note('intent', note);
  if (live.cancel.signal.aborted)
    throw new MakimaError('COMMAND_FAILED', 'The start was called off.');
  await racepoint('daemon.before_agent');
  const agent = await begin(context, live, {
    installed,
    former,
    spec: specOf(context, live, tools),
  });
  live.agent = agent;
  await racepoint('daemon.after_agent');
  const startTime = processRow(agent.pid)?.startTime ?? null;
  await context.journal.note('running', { ...note, pid: agent.pid, startTime });
  return agent;
}

type Tools = { readonly url: string; readonly token: string };

/** A key for this run's calls, and the token under which the agent may have them made. */
async function openTools(context: DaemonContext, live: LiveAttempt): Promise<Tools> {
  const { taskId, attempt } = live.start;
  const { key: toolKey } = await withPatience(context, live, () =>
    context.ask({ kind: 'tool-key', taskId, attempt }),
  );
  const door = context.tools.open({ taskId, attempt, toolKey });
  live.undo.push(
    door.close,
    context.secrets.add('tool-key', toolKey),
    context.secrets.add('run-token', door.token),
  );
  return { url: context.tools.url, token: door.token };
}

function specOf(context: DaemonContext, live: LiveAttempt, tools: Tools): StartSpec {
  const { start, runId } = live;
  const { ledgerPath, timings } = context.config;
  return {
    runId,
    taskId: start.taskId,
    attempt: start.attempt,
    sessionId: start.sessionId,
    cwd: live.record?.directory ?? context.home.root,
    home: join(context.home.runs, runId),
    mode: start.resumeSession ? 'resume' : 'new',
    tools,
    permission: start.permissionMode,
    trusted: start.trusted === true,
    limits: { stallMs: timings.stallMs },
    ...(start.model === null ? {} : { model: start.model }),
    ...(start.systemAppend === '' ? {} : { systemAppend: start.systemAppend }),
    ...(start.agent === 'scripted' && ledgerPath !== null
      ? { env: { MAKIMA_LEDGER: ledgerPath } }
      : {}),
  };
}

interface Beginning {
  readonly installed: InstalledDriver;
  readonly former: TaskRecord | null;
  readonly spec: StartSpec;
}

async function begin(
  context: DaemonContext,
  live: LiveAttempt,
  { installed: { driver }, former, spec }: Beginning,
): Promise<AgentSession> {
  const { start } = live;
  if (!start.resumeSession) {
    const prompt = opening(live);
    try {
      return await driver.start({ ...spec, prompt });
    } catch (error) {
      // A former attempt got as far as opening the conversation: go on in it, the plan is known by its id.
      if (startFailureReason(error) !== 'in_use') throw error;
      live.resumedFrom = 'session';
      const agent = await driver.start({ ...spec, mode: 'resume', prompt });
      // It may have read the plan already: then only a further message starts its turn.
      void agent.send({ id: namedId('go-on', start.sessionId, start.attempt), text: goOn });
      return agent;
    }
  }
  const prompt = firstWords(live);
  // Only if the attempt before this one ran here is the conversation on this machine the whole one.
  const isCurrent =
    former?.sessionId === start.sessionId &&
    former.attempt === start.attempt - 1 &&
    former.attempt === (start.workAttempt ?? former.attempt);
  if (isCurrent || !start.hasTranscript) {
    try {
      live.resumedFrom = 'session';
      return await driver.start({ ...spec, prompt });
    } catch (error) {
      if (startFailureReason(error) !== 'no_conversation') throw error;
      if (!start.hasTranscript) throw sessionLost(error);
    }
  }
  live.resumedFrom = 'transcript';
  const transcript = await fetchTranscript(context, live);
  if (transcript.length === 0) throw sessionLost(null);
  return driver.start({ ...spec, prompt, transcript });
}

/**
 * What an agent reads first in a conversation of its own: its plan; and what waits for it when others worked
 * before it, so that it knows what is done already before its first act. A script is read as it stands.
 */
function opening(live: LiveAttempt): AgentMessage {
  const { agent, attempt, plan, sessionId } = live.start;
  const isTold = attempt > 1 && agent !== 'scripted';
  const waiting = isTold ? live.mailbox.takeFirst() : null;
  if (waiting === null) return { id: namedId('plan', sessionId), text: plan };
  return { id: waiting.id, text: `${plan}\n\n${waiting.text}` };
}

/** What a resumed agent reads first: the first message that waits for it, else a word to go on. */
function firstWords(live: LiveAttempt): AgentMessage {
  const { sessionId, attempt } = live.start;
  const waiting = live.mailbox.takeFirst();
  if (waiting !== null) return { id: waiting.id, text: waiting.text };
  return { id: namedId('go-on', sessionId, attempt), text: goOn };
}

function sessionLost(cause: unknown): MakimaError {
  return new MakimaError('COMMAND_FAILED', 'session lost', {
    cause,
    details: { reason: 'no_conversation' },
  });
}

async function fetchTranscript(context: DaemonContext, live: LiveAttempt): Promise<string[]> {
  const { taskId, attempt } = live.start;
  const pieces: string[] = [];
  for (let fromSeq: number | null = 1; fromSeq !== null;) {
    const from: number = fromSeq;
    const page = await withPatience(context, live, () =>
      context.ask({ kind: 'transcript', taskId, attempt, fromSeq: from }),
    );
    for (const piece of page.lines) pieces.push(piece);
    fromSeq = page.nextSeq;
  }
  return joinPieces(pieces);
}
