/**
 * The daemon's side of the simulation: the real fold of its journal and the real bytes of its lines, a disk
 * that has only what was synced, agents that die with it.
 *
 * Law: nothing is acked, sent or begun before its line is on the disk.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import { must } from '@makima/domain/model/test-model';
import {
  afterAck,
  afterSend,
  cursorAt,
  isOtherHistory,
  rewound,
  takeRuns,
} from '@makima/domain/sequence';
import { encodeLine, scanLines, type JournalLine } from '../journal/line.ts';
import { applyEntry, attemptKey, emptyState, parseEntry, type Entry } from '../journal/state.ts';
import { pick, type Daemon, type Down, type Running, type World } from './test-world.ts';

function write(daemon: Daemon, entry: Exclude<Entry, { kind: 'head' }>, then?: () => void): void {
  applyEntry(daemon.state, entry);
  const line = lineOf(entry);
  if (entry.kind === 'report') daemon.reports.set(entry.seq, entry.report);
  daemon.queue.push({ bytes: encodeLine(line), seq: entry.kind === 'report' ? entry.seq : 0 });
  if (then !== undefined) daemon.afterSync.push(then);
}

function lineOf(entry: Exclude<Entry, { kind: 'head' }>): JournalLine {
  const { kind } = entry;
  switch (kind) {
    case 'report':
      return { kind, seq: entry.seq, body: JSON.stringify(entry.report) };
    case 'command':
      return { kind, seq: entry.seq, body: JSON.stringify(entry.command) };
    case 'intent':
    case 'running':
      return { kind, seq: 0, body: JSON.stringify(entry.note) };
    case 'applied':
    case 'acked':
      return { kind, seq: entry.seq, body: '' };
  }
}

function report(daemon: Daemon, what: Report): void {
  write(daemon, { kind: 'report', seq: daemon.state.lastReportSeq + 1, report: what });
}

export function sync({ daemon }: World): void {
  daemon.disk.push(...daemon.queue.map(({ bytes }) => bytes));
  daemon.durableSeq = Math.max(daemon.durableSeq, ...daemon.queue.map(({ seq }) => seq));
  daemon.durableCommandSeq = daemon.state.lastCommandSeq;
  daemon.queue = [];
  const then = daemon.afterSync;
  daemon.afterSync = [];
  for (const next of then) next();
}

/** It dies: of what was not synced some lines may stand on the disk, and a part of one. Then it starts anew. */
export function crash(world: World, n: number): void {
  const { daemon, seen } = world;
  const whole = n % (daemon.queue.length + 1);
  const torn = daemon.queue[whole]?.bytes;
  const part = torn?.subarray(0, n % torn.length);
  daemon.disk.push(...daemon.queue.slice(0, whole).map(({ bytes }) => bytes));
  if (part !== undefined && part.length > 0) daemon.disk.push(part);
  seen.mark = part !== undefined && part.length > 0 ? 'torn line' : 'daemon crashed';
  if (daemon.link !== null) daemon.link.cut = true;
  open(world);
}

function open(world: World): void {
  const { daemon } = world;
  const { lines, goodBytes } = scanLines(Buffer.concat(daemon.disk));
  const good = Buffer.concat(daemon.disk).subarray(0, goodBytes);
  const state = emptyState(world.journalId);
  daemon.reports.clear();
  for (const { line } of lines) {
    const entry = parseEntry(line);
    applyEntry(state, entry);
    if (entry.kind === 'report') daemon.reports.set(entry.seq, entry.report);
  }
  Object.assign(daemon, {
    disk: good.length === 0 ? [] : [good],
    queue: [],
    afterSync: [],
    state,
    durableSeq: state.lastReportSeq,
    durableCommandSeq: state.lastCommandSeq,
    cursor: cursorAt(state.ackedSeq),
    early: [],
    link: null,
    welcomed: false,
  } satisfies Partial<Daemon>);
  daemon.agents.clear();
  resume(world);
}

/** Agents of the former life are dead; what was taken and not yet begun begins. */
function resume(world: World): void {
  const { daemon } = world;
  const { attempts, pending } = daemon.state;
  const startable = new Set(
    [...pending.values()].flatMap((command) =>
      command.kind === 'task.start' ? [attemptKey(command.taskId, command.attempt)] : [],
    ),
  );
  for (const [key, { taskId, attempt, phase }] of attempts) {
    if (phase === 'ended' || (phase === 'taken' && startable.has(key))) continue;
    report(daemon, ended({ taskId, attempt }, 'daemon_restarted'));
  }
  for (const [seq, command] of pending) apply(world, seq, command);
}

const ended = (of: Running, outcome: string): Report =>
  ({ kind: 'task.ended', ...of, outcome, summary: attemptKey(of.taskId, of.attempt) }) as Report;

function apply(world: World, seq: number, command: Command): void {
  const { daemon, seen } = world;
  if (command.kind !== 'task.start') {
    seen.messages.set(seq, (seen.messages.get(seq) ?? 0) + 1);
    write(daemon, { kind: 'applied', seq });
    return;
  }
  const { taskId, attempt } = command;
  const key = attemptKey(taskId, attempt);
  const known = daemon.state.attempts.get(key);
  if (known === undefined && attempt < (daemon.state.highest.get(taskId) ?? 0)) {
    report(daemon, ended(command, 'fenced'));
    return;
  }
  if (known?.phase !== 'taken') return;
  const note = { taskId, attempt, runId: key, pid: null, startTime: null };
  write(daemon, { kind: 'intent', note }, () => {
    // Given up while it was about to begin: it never begins.
    if (daemon.state.attempts.get(key)?.phase !== 'intent') return;
    must(!seen.started.has(key), `an attempt starts once: ${key}`);
    seen.started.add(key);
    daemon.agents.set(key, { taskId, attempt });
    report(daemon, { kind: 'task.started', taskId, attempt } as Report);
  });
}

/** An agent says something, or ends. */
export function work({ daemon }: World, n: number): void {
  const found = pick([...daemon.agents], n);
  if (found === undefined) return;
  const [key, of] = found;
  const state = daemon.state.attempts.get(key);
  must(state !== undefined, 'who works is known');
  if (n % 7 === 0) {
    daemon.agents.delete(key);
    report(daemon, ended(of, n % 2 === 0 ? 'done' : 'crashed'));
    return;
  }
  const fromSeq = state.outputSeq + 1;
  const count = 1 + (n % 3);
  const lines = Array.from({ length: count }, (_, i) => ({ content: `${key}/${fromSeq + i}` }));
  report(daemon, { kind: 'task.outputted', ...of, fromSeq, lines } as Report);
}

export function connect({ daemon, links, journalId }: World, gateway = 0): void {
  if (daemon.link !== null && !daemon.link.cut) return;
  const { durableCommandSeq: lastCommandSeq } = daemon;
  const { attempts } = daemon.state;
  const running = [...attempts.values()].map(({ taskId, attempt }) => ({ taskId, attempt }));
  daemon.link = {
    up: [{ type: 'hello', journalId, lastCommandSeq, running }],
    down: [],
    cut: false,
    talk: null,
    gateway,
  };
  daemon.welcomed = false;
  daemon.early = [];
  links.push(daemon.link);
}

/** It hears nothing on its connection and takes another; the gateway of the former one knows of nothing. */
export function moveOn(world: World, gateway: number): void {
  if (world.daemon.link === null) return;
  world.daemon.link = null;
  world.seen.mark = 'moved on';
  connect(world, gateway);
}

/** Durable reports go out, in frames of `count`. */
export function send({ daemon, journalId }: World, count: number): void {
  const { link } = daemon;
  if (link === null || link.cut || !daemon.welcomed) return;
  while (daemon.cursor.sentSeq < daemon.durableSeq) {
    const fromSeq = daemon.cursor.sentSeq + 1;
    const toSeq = Math.min(daemon.durableSeq, fromSeq + count - 1);
    const reports: Report[] = [];
    for (let seq = fromSeq; seq <= toSeq; seq += 1) {
      const one = daemon.reports.get(seq);
      must(one !== undefined, 'what is not acked is still there');
      reports.push(one);
    }
    link.up.push({ type: 'reports', journalId, fromSeq, reports });
    daemon.cursor = afterSend(daemon.cursor, toSeq);
  }
}

export function resendReports({ daemon }: World): void {
  daemon.cursor = rewound(daemon.cursor);
}

export function onDown(world: World, frame: Down): void {
  const { daemon } = world;
  if (frame.type === 'welcome') {
    if (daemon.welcomed) return;
    must(!isOtherHistory(daemon.state, frame.reportAck), 'both sides know one history');
    daemon.welcomed = true;
    ack(daemon, frame.reportAck);
    daemon.cursor = cursorAt(daemon.state.ackedSeq);
    for (const of of frame.fenced) end(daemon, of);
    return;
  }
  if (!daemon.welcomed) return;
  if (frame.type === 'ack') {
    daemon.cursor = afterAck(daemon.cursor, frame.reportSeq);
    ack(daemon, daemon.cursor.ackedSeq);
    return;
  }
  const items = frame.commands.map(({ seq, command }) => ({ seq, item: command }));
  const { fresh, early } = takeRuns(daemon.state.lastCommandSeq, [
    ...daemon.early,
    { after: frame.after, items },
  ]);
  if (early.length > daemon.early.length) world.seen.mark = 'commands came too early';
  daemon.early = early;
  for (const { seq, item } of fresh) write(daemon, { kind: 'command', seq, command: item });
  const { link } = daemon;
  daemon.afterSync.push(() => {
    const { lastCommandSeq } = daemon.state;
    if (link !== null && lastCommandSeq > 0)
      link.up.push({ type: 'ack', commandSeq: lastCommandSeq });
    for (const { seq, item } of fresh) {
      world.seen.takenSeqs.push(seq);
      apply(world, seq, item);
    }
  });
}

function ack(daemon: Daemon, seq: number): void {
  if (seq > daemon.state.ackedSeq) write(daemon, { kind: 'acked', seq });
}

/** The server says that it is over. */
function end(daemon: Daemon, of: Running): void {
  const key = attemptKey(of.taskId, of.attempt);
  daemon.agents.delete(key);
  const known = daemon.state.attempts.get(key);
  if (known !== undefined && known.phase !== 'ended') report(daemon, ended(of, 'fenced'));
}
