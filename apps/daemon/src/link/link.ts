/**
 * The daemon's connection to the control plane, kept up for as long as the daemon lives: connect, hello,
 * welcome, then commands in, reports out, a heartbeat for all leases, questions both ways; and again.
 *
 * Law: a command is on the disk before it is acked and applied; whatever happens to a connection, nothing is
 * lost by it and nothing is done twice.
 */
import { askTimeoutMs, type DaemonAsk, type ServerAsk } from '@makima/contracts/socket/asks';
import type { Command } from '@makima/contracts/socket/commands';
import {
  closeCodes,
  socketProtocol,
  type Hello,
  type Running,
  type ServerFrame,
  type ServerFrameOf,
} from '@makima/contracts/socket/frames';
import { isOtherHistory } from '@makima/domain/sequence';
import type { Log } from '@makima/runtime/log';
import type { Journal } from '../journal/journal.ts';
import { createAsks, type AskKind, type AskResult, type Asks } from './asks.ts';
import { createIntake, type Intake } from './intake.ts';
import { createHeart, type Heart } from './heart.ts';
import { isLoopback, retryDelayMs, stableMs } from './retry-delay.ts';
import { createSender, type Sender } from './sender.ts';
import { openSocket, type GatewaySocket, type SocketEnd } from './socket.ts';

export interface LinkTimings {
  readonly heartbeatMs: number;
  /** A beat without an answer for this long ends the connection. */
  readonly silentMs: number;
  /** How often a socket is pinged; two without any answer end it. */
  readonly pulseMs: number;
  readonly welcomeMs: number;
  readonly resendMs: number;
  /** A question without an answer for this long has failed. */
  readonly askMs: number;
  readonly windowBytes: number;
  readonly frameBytes: number;
  /** Scales the wait between connects; 1 but in tests. */
  readonly retryScale: number;
}

export const defaultTimings: LinkTimings = {
  heartbeatMs: 10_000,
  silentMs: 20_000,
  pulseMs: 4_000,
  welcomeMs: 10_000,
  resendMs: 15_000,
  askMs: askTimeoutMs,
  windowBytes: 4 * 1024 * 1024,
  frameBytes: 512 * 1024,
  retryScale: 1,
};

export interface LinkHandlers {
  /** What runs here, or ended here and is not acked. */
  running(): readonly Running[];
  freeDiskBytes(): Promise<number | null>;
  /** First frame of a connection; `atMs` is when hello was sent. */
  welcomed(frame: ServerFrameOf<'welcome'>, atMs: number): void;
  /** Answer to a heartbeat that was sent at `atMs`. */
  leased(frame: ServerFrameOf<'lease'>, atMs: number): void;
  /** Another process has this daemon's place: what runs here may be given away from now on. */
  replaced(): void;
  /** The key opens nothing any more: nobody renews a lease of ours again. */
  revoked(): void;
  /** A command that is journalled and was not seen before; in order. Must return soon. */
  apply(seq: number, command: Command): void;
  readonly asked: (ask: ServerAsk) => Promise<unknown>;
}

export interface LinkOptions {
  readonly url: string;
  readonly key: string;
  readonly log: Log;
  readonly journal: Journal;
  readonly timings: LinkTimings;
  readonly hello: Omit<Hello, 'type' | 'protocol' | 'journalId' | 'lastCommandSeq' | 'running'>;
  readonly handlers: LinkHandlers;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  readonly newId: () => string;
}

export interface Link {
  start(): void;
  /** Takes no further command; reports and heartbeats go on. For the time before the end. */
  close(): void;
  /** Resolves true when all reports are acked, false after `limitMs`. */
  flushed(limitMs: number): Promise<boolean>;
  stop(): void;
  ask<K extends AskKind>(ask: Extract<DaemonAsk, { kind: K }>): Promise<AskResult<K>>;
  /** A heartbeat now: something changed that the server should know. */
  beat(): void;
  readonly welcomed: boolean;
}

interface Core {
  readonly options: LinkOptions;
  readonly asks: Asks;
  readonly heart: Heart;
  readonly sender: Sender;
  readonly intake: Intake;
  socket: GatewaySocket | null;
  welcomed: boolean;
  stopped: boolean;
  /** Keys of a newer gateway that were told in the log. */
  readonly unknownTold: Set<string>;
  failures: number;
  hintMs: number | null;
  openedAtMs: number;
  helloAtMs: number;
  retry: NodeJS.Timeout | undefined;
  welcomeTimer: NodeJS.Timeout | undefined;
  ticker: NodeJS.Timeout | undefined;
}

const unknownToldMax = 20;

export function createLink(options: LinkOptions): Link {
  const core = createCore(options);
  return {
    start() {
      if (core.ticker !== undefined || core.stopped) return;
      core.ticker = setInterval(() => tick(core), options.timings.heartbeatMs);
      connect(core);
    },
    close() {
      core.intake.close();
    },
    flushed: (limitMs) => flushed(core, limitMs),
    stop() {
      core.stopped = true;
      clearInterval(core.ticker);
      clearTimeout(core.retry);
      clearTimeout(core.welcomeTimer);
      core.socket?.close(1000, 'the daemon stops');
      core.asks.dropped();
    },
    ask: (ask) => core.asks.ask(ask),
    beat: () => void beat(core),
    get welcomed() {
      return core.welcomed;
    },
  };
}

function createCore(options: LinkOptions): Core {
  const core: Core = {
    options,
    asks: createAsks({
      newId: options.newId,
      timeoutMs: options.timings.askMs,
      send: (text) => core.welcomed && (core.socket?.send(text) ?? false),
    }),
    heart: createHeart(),
    sender: createSender({
      ...options.timings,
      journal: options.journal,
      now: options.now,
      onTrouble: (error) => options.log.error({ err: error }, 'reports could not be read'),
    }),
    intake: createIntake({
      journal: options.journal,
      ack: (commandSeq) => {
        if (core.welcomed) core.socket?.send(JSON.stringify({ type: 'ack', commandSeq }));
      },
      apply: (seq, command) => options.handlers.apply(seq, command),
      onTrouble: (error) => options.log.error({ err: error }, 'commands were not taken'),
    }),
    socket: null,
    welcomed: false,
    stopped: false,
    unknownTold: new Set(),
    failures: 0,
    hintMs: null,
    openedAtMs: 0,
    helloAtMs: 0,
    retry: undefined,
    welcomeTimer: undefined,
    ticker: undefined,
  };
  return core;
}

function connect(core: Core): void {
  if (core.stopped) return;
  const { url, key, timings } = core.options;
  const socket = openSocket(
    { url, key, pulseMs: timings.pulseMs },
    {
      opened: () => sayHello(core),
      frame: (frame) => core.socket === socket && onFrame(core, frame),
      unknown: (keys) => tellUnknown(core, keys),
      ended: (end) => core.socket === socket && onEnded(core, end),
    },
  );
  core.socket = socket;
}

/** Once for each: a newer gateway sends them with every frame of that kind. */
function tellUnknown({ options, unknownTold }: Core, paths: readonly string[]): void {
  const names = paths.map((path) => path.replaceAll(/\.\d+/g, ''));
  const fresh = names.filter((name) => !unknownTold.has(name)).slice(0, unknownToldMax);
  if (fresh.length === 0 || unknownTold.size >= unknownToldMax) return;
  for (const name of fresh) unknownTold.add(name);
  options.log.warn({ keys: fresh }, 'a newer gateway says what this daemon does not know');
}

function sayHello(core: Core): void {
  const { journal, handlers, hello, now, timings } = core.options;
  core.openedAtMs = now();
  core.helloAtMs = now();
  const frame: Hello = {
    type: 'hello',
    protocol: socketProtocol,
    ...hello,
    journalId: journal.state.journalId,
    // What is not on the disk yet may be lost with this process: it is not told of.
    lastCommandSeq: journal.durableCommandSeq,
    running: [...handlers.running()],
  };
  core.socket?.send(JSON.stringify(frame));
  core.welcomeTimer = setTimeout(() => core.socket?.cut(), timings.welcomeMs);
}

function onFrame(core: Core, frame: ServerFrame): void {
  if (frame.type === 'welcome') return onWelcome(core, frame);
  if (frame.type === 'error') {
    core.options.log.warn({ code: frame.code, said: frame.message }, 'the gateway refused a frame');
    return;
  }
  if (frame.type === 'goaway') {
    leaveAfter(core, frame.afterMs);
    return;
  }
  if (!core.welcomed) return;
  switch (frame.type) {
    case 'commands':
      core.intake.offer(frame);
      return;
    case 'ack':
      if (frame.journalId === core.options.journal.state.journalId)
        core.sender.acked(frame.reportSeq);
      return;
    case 'lease': {
      const atMs = core.heart.answered(frame.beat);
      if (atMs !== null) core.options.handlers.leased(frame, atMs);
      return;
    }
    case 'ask':
      void core.asks.serve(frame, core.options.handlers.asked);
      return;
    case 'answer':
      core.asks.answered(frame);
  }
}

/** The gateway spreads its daemons over a while: stay until our moment comes, then connect anew at once. */
function leaveAfter(core: Core, afterMs: number): void {
  const { socket } = core;
  setTimeout(() => {
    if (core.socket !== socket || core.stopped) return;
    core.hintMs = 0;
    socket?.close(1000, 'going');
  }, afterMs).unref();
}

function onWelcome(core: Core, frame: ServerFrameOf<'welcome'>): void {
  if (core.socket === null || core.welcomed) return;
  clearTimeout(core.welcomeTimer);
  const { journal, log } = core.options;
  if (isOtherHistory(journal.state, frame.reportAck)) {
    const { journalId, ackedSeq, lastReportSeq } = journal.state;
    const known = { journalId, ackedSeq, lastReportSeq, reportAck: frame.reportAck };
    log.error(known, 'the server knows another history of this journal: going on under a new one');
    const socket = core.socket;
    void journal
      .renew()
      .catch((error: unknown) => log.error({ err: error }, 'the journal was not renewed'))
      .finally(() => socket.close(1000, 'a new journal'));
    return;
  }
  core.welcomed = true;
  core.options.log.info(
    { sessionEpoch: frame.sessionEpoch, reportAck: frame.reportAck },
    'connected',
  );
  core.sender.attach(core.socket, frame.reportAck);
  core.options.handlers.welcomed(frame, core.helloAtMs);
  void beat(core);
}

function onEnded(core: Core, end: SocketEnd): void {
  clearTimeout(core.welcomeTimer);
  const wasWelcomed = core.welcomed;
  core.welcomed = false;
  core.socket = null;
  core.sender.detach();
  core.asks.dropped();
  core.heart.reset();
  if (core.stopped) return;
  const { log, now, timings, url } = core.options;
  // Only one connection is held at a time: its own reconnect is never what this one was replaced by.
  const replaced = end.code === closeCodes.replaced;
  if (replaced) core.options.handlers.replaced();
  const lived = end.opened ? now() - core.openedAtMs : 0;
  core.failures = wasWelcomed && lived > stableMs ? 0 : core.failures + 1;
  const waitMs =
    timings.retryScale *
    retryDelayMs(
      {
        failures: core.failures - 1,
        hintMs: core.hintMs ?? end.retryAfterMs,
        ...(replaced ? { replaced } : {}),
        ...(isLoopback(url) ? { loopback: true } : {}),
      },
      Math.random(),
    );
  core.hintMs = null;
  const unwelcome = end.code === 401 || end.code === closeCodes.unauthenticated;
  if (unwelcome) {
    log.error(
      { code: end.code },
      'the gateway does not know this daemon: enrol it again with `join`',
    );
    core.options.handlers.revoked();
  } else log.warn({ code: end.code, reason: end.reason, waitMs }, 'not connected, will try again');
  core.retry = setTimeout(() => connect(core), waitMs);
}

function tick(core: Core): void {
  const { timings, now, log } = core.options;
  core.sender.tick();
  if (core.heart.silentFor(now()) > timings.silentMs) {
    log.warn({ silentMs: timings.silentMs }, 'the gateway went silent');
    core.socket?.cut();
    return;
  }
  void beat(core);
}

async function beat(core: Core): Promise<void> {
  const { handlers, now } = core.options;
  const freeDiskBytes = await handlers.freeDiskBytes().catch(() => null);
  if (!core.welcomed || core.socket === null) return;
  const frame = {
    type: 'heartbeat',
    beat: core.heart.beat(now()),
    running: handlers.running(),
    freeDiskBytes,
  };
  core.socket.send(JSON.stringify(frame));
}

async function flushed(core: Core, limitMs: number): Promise<boolean> {
  const { journal, now } = core.options;
  const until = now() + limitMs;
  while (journal.state.ackedSeq < journal.state.lastReportSeq) {
    if (now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
