/**
 * What the journal's lines add up to: the pure core. Opening a journal is a fold of `applyEntry` over its
 * lines; writing one applies the same function, so that memory and disk cannot disagree.
 *
 * Law: no IO, no clock. A command number is taken once; an attempt starts once; an ended attempt stays known
 * (by its number) after everything else of it is forgotten.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Report, ReportOf } from '@makima/contracts/socket/reports';
import type { Running } from '@makima/contracts/socket/frames';
import type { JournalLine } from './line.ts';

/** `taken`: the command stands here; `intent`: its agent may have been started; `ended`: its end is told. */
export type AttemptPhase = 'taken' | 'intent' | 'running' | 'ended';

export interface AttemptState {
  readonly taskId: string;
  readonly attempt: number;
  phase: AttemptPhase;
  runId: string | null;
  pid: number | null;
  /** Start time of the process, which tells it from a later one of the same pid. */
  startTime: number | null;
  /** Lines of output and of transcript that are journalled. */
  outputSeq: number;
  transcriptSeq: number;
  /** Number of the report that ended it; 0 while it goes on. */
  endedSeq: number;
}

export type OperationFinished = ReportOf<'operation.finished'>;

export interface JournalState {
  journalId: string;
  lastCommandSeq: number;
  lastReportSeq: number;
  ackedSeq: number;
  /** Commands that are taken and not yet applied, by number. */
  readonly pending: Map<number, Command>;
  /** Attempts from their command until their end is acked, by `attemptKey`. */
  readonly attempts: Map<string, AttemptState>;
  /** Results of operations, the latest ones, so that a repeated command gets the same answer. */
  readonly operations: Map<string, OperationFinished>;
  /** Highest attempt known of each task, the latest tasks. */
  readonly highest: Map<string, number>;
}

export const journalLimits = {
  operations: 100,
  /** A result whose JSON is longer is not remembered; its operation is done again when asked again. */
  operationChars: 8_192,
  tasks: 2_000,
} as const;

export const attemptKey = (taskId: string, attempt: number): string => `${taskId}/${attempt}`;

export function emptyState(journalId: string): JournalState {
  return {
    journalId,
    lastCommandSeq: 0,
    lastReportSeq: 0,
    ackedSeq: 0,
    pending: new Map(),
    attempts: new Map(),
    operations: new Map(),
    highest: new Map(),
  };
}

/** The state as the body of a `head` line. */
export function storeState(state: JournalState): string {
  return JSON.stringify({
    ...state,
    pending: [...state.pending],
    attempts: [...state.attempts],
    operations: [...state.operations],
    highest: [...state.highest],
  });
}

export function loadState(body: string): JournalState {
  const stored = JSON.parse(body) as Record<keyof JournalState, never>;
  return {
    ...(stored as object as JournalState),
    pending: new Map(stored.pending),
    attempts: new Map(stored.attempts),
    operations: new Map(stored.operations),
    highest: new Map(stored.highest),
  };
}

/** One fact for the journal, as it is before it becomes a line. */
export type Entry =
  | { readonly kind: 'head'; readonly state: string }
  | { readonly kind: 'report'; readonly seq: number; readonly report: Report }
  | { readonly kind: 'command'; readonly seq: number; readonly command: Command }
  | { readonly kind: 'applied'; readonly seq: number }
  | { readonly kind: 'intent' | 'running'; readonly note: RunNote }
  | { readonly kind: 'acked'; readonly seq: number };

/** What a line says. The line is whole (its checksum held), so its body is what we once wrote. */
export function parseEntry(line: JournalLine): Entry {
  const { kind, seq, body } = line;
  switch (kind) {
    case 'head':
      return { kind, state: body };
    case 'report':
      return { kind, seq, report: JSON.parse(body) as Report };
    case 'command':
      return { kind, seq, command: JSON.parse(body) as Command };
    case 'applied':
    case 'acked':
      return { kind, seq };
    case 'intent':
    case 'running':
      return { kind, note: JSON.parse(body) as RunNote };
  }
}

/** Fold one entry into the state. A `head` replaces it: it says the same, in one line. */
export function applyEntry(state: JournalState, entry: Entry): void {
  switch (entry.kind) {
    case 'head':
      Object.assign(state, loadState(entry.state));
      return;
    case 'report':
      applyReport(state, entry.seq, entry.report);
      return;
    case 'command':
      applyCommand(state, entry.seq, entry.command);
      return;
    case 'applied':
      state.pending.delete(entry.seq);
      return;
    case 'intent':
    case 'running':
      applyRun(state, entry.kind, entry.note);
      return;
    case 'acked':
      applyAck(state, entry.seq);
  }
}

/** Body of `intent` and `running`. */
export interface RunNote extends Running {
  readonly runId: string;
  readonly pid: number | null;
  readonly startTime: number | null;
}

function applyCommand(state: JournalState, seq: number, command: Command): void {
  if (seq <= state.lastCommandSeq) return;
  state.lastCommandSeq = seq;
  state.pending.set(seq, command);
  if (command.kind !== 'task.start') return;
  if (command.attempt <= (state.highest.get(command.taskId) ?? 0)) return;
  ensureAttempt(state, command);
}

function applyRun(state: JournalState, phase: 'intent' | 'running', note: RunNote): void {
  const attempt = ensureAttempt(state, note);
  dropStarts(state, note);
  if (attempt.phase === 'ended') return;
  attempt.phase = phase;
  attempt.runId = note.runId;
  attempt.pid = note.pid;
  attempt.startTime = note.startTime;
}

function applyReport(state: JournalState, seq: number, report: Report): void {
  if (seq <= state.lastReportSeq) return;
  state.lastReportSeq = seq;
  switch (report.kind) {
    case 'task.outputted':
      ensureAttempt(state, report).outputSeq = report.fromSeq + report.lines.length - 1;
      return;
    case 'transcript.stored':
      ensureAttempt(state, report).transcriptSeq = report.fromSeq + report.lines.length - 1;
      return;
    case 'task.ended': {
      const attempt = ensureAttempt(state, report);
      attempt.phase = 'ended';
      attempt.endedSeq = seq;
      dropStarts(state, report);
      return;
    }
    case 'operation.finished':
      rememberOperation(state, report);
      return;
    case 'task.started':
    case 'task.used':
    case 'task.turn_ended':
    case 'task.kept':
    case 'message.received':
    case 'agent.asked':
    case 'agent.withdrew':
    case 'patch.stored':
  }
}

function applyAck(state: JournalState, seq: number): void {
  state.ackedSeq = Math.max(state.ackedSeq, Math.min(seq, state.lastReportSeq));
  for (const [key, attempt] of state.attempts) {
    if (attempt.phase === 'ended' && attempt.endedSeq <= state.ackedSeq) state.attempts.delete(key);
  }
}

/** A start is applied when its agent may have been executed, or when it is over without one. */
function dropStarts(state: JournalState, of: Running): void {
  for (const [seq, command] of state.pending) {
    const isStart = command.kind === 'task.start';
    if (isStart && command.taskId === of.taskId && command.attempt === of.attempt) {
      state.pending.delete(seq);
    }
  }
}

function rememberOperation(state: JournalState, report: OperationFinished): void {
  for (const [seq, command] of state.pending) {
    if ('operationId' in command && command.operationId === report.operationId) {
      state.pending.delete(seq);
    }
  }
  if (JSON.stringify(report).length > journalLimits.operationChars) return;
  state.operations.set(report.operationId, report);
  forgetOldest(state.operations, journalLimits.operations);
}

function ensureAttempt(state: JournalState, of: Running): AttemptState {
  const key = attemptKey(of.taskId, of.attempt);
  const known = state.attempts.get(key);
  if (known !== undefined) return known;
  const fresh: AttemptState = {
    taskId: of.taskId,
    attempt: of.attempt,
    phase: 'taken',
    runId: null,
    pid: null,
    startTime: null,
    outputSeq: 0,
    transcriptSeq: 0,
    endedSeq: 0,
  };
  state.attempts.set(key, fresh);
  const highest = Math.max(of.attempt, state.highest.get(of.taskId) ?? 0);
  state.highest.delete(of.taskId);
  state.highest.set(of.taskId, highest);
  forgetOldest(state.highest, journalLimits.tasks);
  return fresh;
}

/** Maps keep the order of their entries, so the first ones are the oldest. */
function forgetOldest(map: Map<string, unknown>, keep: number): void {
  for (const key of map.keys()) {
    if (map.size <= keep) return;
    map.delete(key);
  }
}
