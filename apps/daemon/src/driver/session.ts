/**
 * One live process of an agent, the same for all kinds: starts it, lets its dialect translate, keeps the queue
 * bounded, watches for silence, and ends it so that nothing of it is left.
 *
 * Law: `exit` is the last event, comes exactly once, and when it is told no process of the run is alive.
 */
import { MakimaError } from '@makima/domain/error';
import type { Dialect, DialectLink } from './dialect.ts';
import type { AgentKind, AgentSession, ExitInfo, StartSpec, StopResult } from './driver.ts';
import type { Environment } from './environment.ts';
import { eventQueue } from './event-queue.ts';
import type { AgentEvent, AgentEventBody } from './events.ts';
import { endRun, freezeRun, thawRun } from './kill.ts';
import type { AgentProcess } from './process.ts';
import { startProcess } from './process.ts';
import { removeRunFile } from './run-file.ts';
import { stallWatch } from './stall.ts';
import { startFailure } from './start-failure.ts';
import type { TurnWatch } from './turn-watch.ts';
import { turnWatch } from './turn-watch.ts';

const queueCapacity = 512;
const receiptMs = 10_000;
const interruptMs = 5_000;
const parkMs = 5_000;

export interface SessionOptions {
  readonly kind: AgentKind;
  readonly spec: StartSpec;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly dialect: (link: DialectLink) => Dialect;
}

/** @throws MakimaError with a start failure's reason; no process is left then. */
export async function startSession(options: SessionOptions): Promise<AgentSession> {
  const { spec } = options;
  const turn = turnWatch();
  const link = await connect(options, turn);
  const life: Life = { options, turn, ...link, expected: false, over: false, stopping: null };
  const exited = link.process.exited.then((info) => settle(life, info));
  try {
    await readiness(life, exited);
  } catch (cause) {
    await endLife(life, exited, 0);
    throw cause;
  }
  for (const line of link.dialect.opening(spec.prompt)) link.process.writeLine(line);
  return sessionOf(life, exited);
}

interface Connection {
  readonly process: AgentProcess;
  readonly dialect: Dialect;
  readonly emit: (body: AgentEventBody) => void;
  readonly queue: ReturnType<typeof eventQueue<AgentEvent>>;
  readonly becameReady: Promise<void>;
  readonly watch: ReturnType<typeof stallWatch>;
  /** Last lines of stderr, for the message of a failed start. */
  readonly errorTail: string[];
}

interface Life extends Connection {
  readonly options: SessionOptions;
  readonly turn: TurnWatch;
  expected: boolean;
  /** The exit has been told. */
  over: boolean;
  stopping: Promise<StopResult> | null;
}

async function connect(options: SessionOptions, turn: TurnWatch): Promise<Connection> {
  const { spec } = options;
  let seq = 0;
  let process: AgentProcess | null = null;
  const queue = eventQueue<AgentEvent>({
    capacity: queueCapacity,
    onFull: () => process?.hold(),
    onDrained: () => process?.release(),
  });
  const emit = (body: AgentEventBody) => {
    turn.see(body);
    watch.expecting(turn.silenceIsFault());
    // A deferred call waits for a resume: the agent leaves when nothing more can be said to it.
    if (body.t === 'turn_end' && body.outcome === 'deferred') process?.closeInput();
    seq += 1;
    queue.push({ ...body, seq, atMs: Date.now(), runId: spec.runId });
  };
  const watch = stallWatch({
    stallMs: spec.limits?.stallMs ?? 300_000,
    onStall: (silentMs, count) => emit({ t: 'stalled', silentMs, count }),
  });
  const errorTail: string[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const dialect = options.dialect({
    emit,
    writeLine: (line) => process?.writeLine(line),
    ready: () => ready.resolve(),
    fail: (error) => ready.reject(error),
  });
  process = await startProcess({
    runId: spec.runId,
    home: spec.home,
    cwd: spec.cwd,
    env: options.env,
    command: options.command,
    args: options.args,
    lineBytes: spec.limits?.lineBytes ?? 4 * 1024 * 1024,
    onLine: (line) => {
      watch.alive();
      dialect.read(line);
    },
    onErrorLine: (line) => {
      errorTail.push(line);
      if (errorTail.length > 20) errorTail.shift();
      emit({ t: 'log', stream: 'stderr', line, cutBytes: 0 });
    },
    onCut: (stream, cut) => {
      watch.alive();
      emit({ t: 'log', stream, line: cut.head.slice(0, 500), cutBytes: cut.bytes });
      if (stream === 'stdout') dialect.cut(cut);
    },
  });
  return { process, dialect, emit, queue, becameReady: ready.promise, watch, errorTail };
}

/** A slow machine may take a minute to start an agent; its daemon keeps the lease meanwhile. */
const startLimitMs = 180_000;

/** Waits for readiness, an early exit, or the limit, whichever comes first. */
async function readiness(life: Life, exited: Promise<ExitInfo>): Promise<void> {
  const limitMs = life.options.spec.limits?.startMs ?? startLimitMs;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(startFailure('start_timeout', `The agent was not ready after ${limitMs} ms.`));
  }, limitMs);
  // All lines are read before `exited` resolves, so a reason that the dialect found in them comes first.
  const early = exited.then((info): never => {
    const output = life.errorTail.join('\n');
    const how = info.signal === null ? `with code ${info.code}` : `by ${info.signal}`;
    const message = `The agent ended ${how} before it was ready. ${output}`.trim();
    throw startFailure('exited', message, { output });
  });
  early.catch(() => undefined);
  life.dialect.begin();
  try {
    await Promise.race([life.becameReady, early, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** After the exit: nothing of the run stays alive, what is open is closed, the exit is told. */
async function settle(life: Life, info: ExitInfo): Promise<ExitInfo & { swept: number }> {
  life.watch.stop();
  const swept = await endRun(life.process.run, { graceMs: 0 });
  removeRunFile(life.options.spec.home);
  life.dialect.ended();
  for (const body of life.turn.close()) life.emit(body);
  life.emit({ t: 'state', state: 'exited' });
  life.emit({ t: 'exit', ...info, expected: life.expected || life.turn.wasDeferred() });
  life.over = true;
  life.queue.close();
  return { ...info, swept };
}

function sessionOf(life: Life, exited: ReturnType<typeof settle>): AgentSession {
  const { spec, kind } = life.options;
  const { run } = life.process;
  return {
    kind,
    runId: spec.runId,
    pid: run.pid,
    sessionId: spec.sessionId,
    events: life.queue.events,
    send: ({ when, ...message }) => send(life, message, when ?? 'next'),
    interrupt: () => interrupt(life, interruptMs),
    async answer(requestId, answer) {
      const line = life.dialect.answer(requestId, answer);
      if (typeof line === 'string') life.process.writeLine(line);
      return line !== null;
    },
    async park() {
      if (life.turn.working()) return false;
      life.expected = true;
      life.queue.unbound();
      life.process.closeInput();
      if (!(await within(exited, parkMs))) await endRun(run, { graceMs: 1000 });
      await exited;
      return true;
    },
    stop({ graceMs }) {
      life.stopping ??= endLife(life, exited, graceMs);
      return life.stopping;
    },
    freeze() {
      // Its silence is ours.
      life.watch.expecting(false);
      return freezeRun(run);
    },
    thaw() {
      life.watch.expecting(life.turn.silenceIsFault());
      return thawRun(run);
    },
  };
}

async function send(
  life: Life,
  message: { readonly id: string; readonly text: string },
  when: 'now' | 'next' | 'later',
): Promise<void> {
  if (!life.over && life.turn.hasTaken(message.id)) return;
  const taken = life.turn.until(
    (body) => body.t === 'exit' || (body.t === 'message' && body.id === message.id),
    life.over ? 0 : receiptMs,
  );
  const line = life.dialect.message(message, when);
  if (line !== null) life.process.writeLine(line);
  if ((await taken)?.t === 'message') return;
  const why = life.over ? 'has ended' : `did not take it in ${receiptMs} ms`;
  throw new MakimaError(
    'COMMAND_FAILED',
    `Message ${message.id} was not delivered: the agent ${why}.`,
    { retryable: true },
  );
}

async function interrupt(life: Life, limitMs: number): Promise<boolean> {
  if (!life.turn.working()) return false;
  const over = life.turn.until((body) => body.t === 'turn_end' || body.t === 'exit', limitMs);
  const line = life.dialect.interrupt();
  if (line !== null) life.process.writeLine(line);
  return (await over)?.t === 'turn_end';
}

/** Interrupt, close of stdin, TERM, KILL, sweep: each with its share of the grace. */
async function endLife(
  life: Life,
  exited: ReturnType<typeof settle>,
  graceMs: number,
): Promise<StopResult> {
  life.expected = true;
  life.queue.unbound();
  const { run } = life.process;
  // Without grace it stays as it stands: its work may be another's already.
  if (graceMs > 0) {
    thawRun(run);
    await interrupt(life, graceMs / 3);
  }
  life.process.closeInput();
  const byItself = graceMs > 0 && (await within(exited, graceMs / 3));
  const swept = byItself ? 0 : await endRun(run, { graceMs: graceMs / 3 });
  const info = await exited;
  return { code: info.code, signal: info.signal, swept: swept + info.swept };
}

async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), ms);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
