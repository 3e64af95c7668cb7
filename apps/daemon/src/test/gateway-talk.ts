/**
 * The server's side of the protocol for tests: a store that outlives its connections, and one connection at a
 * time. See `gateway.ts` for what a test sees of it.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { DaemonAsk } from '@makima/contracts/socket/asks';
import type { Command } from '@makima/contracts/socket/commands';
import {
  zDaemonFrame,
  type DaemonFrame,
  type Hello,
  type Running,
  type ServerFrame,
} from '@makima/contracts/socket/frames';
import type { Report } from '@makima/contracts/socket/reports';
import { wireLimits } from '@makima/contracts/limits';

export interface Levers {
  /** Nothing is said about leases. */
  muteLeases: boolean;
  /** Reports are applied but not acked. */
  muteAcks: boolean;
  /** Reports are neither applied nor acked. */
  deafToReports: boolean;
  /** Output and transcripts are checked and counted, not kept. */
  forgetful: boolean;
  /** Upgrades are refused with 503. */
  refuseUpgrades: boolean;
  /** The daemon's key is revoked: upgrades are refused with 401. */
  revoked: boolean;
  /** How often a frame goes out, each after so many milliseconds. Default: once, at once. */
  meddle: (frame: ServerFrame) => readonly number[];
  /** Answers to asks; throw to refuse. */
  answer: (ask: DaemonAsk) => unknown;
}

export interface State {
  readonly levers: Levers;
  readonly commands: { readonly seq: number; readonly command: Command }[];
  readonly applied: Map<string, number>;
  readonly lineSeq: Map<string, number>;
  readonly reports: Report[];
  readonly hellos: Hello[];
  readonly asks: DaemonAsk[];
  readonly fenced: Running[];
  readonly faults: string[];
  readonly daemonId: string;
  readonly watchers: Set<() => void>;
  ackedCommandSeq: number;
  unheard: number;
  forgotten: number;
  epoch: number;
  socket: WebSocket | null;
  running: readonly Running[] | null;
  welcomed: boolean;
}

export function createState(): State {
  return {
    levers: {
      muteLeases: false,
      muteAcks: false,
      deafToReports: false,
      forgetful: false,
      refuseUpgrades: false,
      revoked: false,
      meddle: () => [0],
      answer: defaultAnswer,
    },
    commands: [],
    applied: new Map(),
    lineSeq: new Map(),
    reports: [],
    hellos: [],
    asks: [],
    fenced: [],
    faults: [],
    daemonId: randomUUID(),
    watchers: new Set(),
    ackedCommandSeq: 0,
    unheard: 0,
    forgotten: 0,
    epoch: 0,
    socket: null,
    running: null,
    welcomed: false,
  };
}

export const same = (a: Running, b: Running): boolean =>
  a.taskId === b.taskId && a.attempt === b.attempt;

function defaultAnswer(ask: DaemonAsk): unknown {
  if (ask.kind === 'tool-key') return { key: `mk_tool_${'0'.repeat(31)}1_${'k'.repeat(38)}` };
  throw new Error(`nothing known for ${ask.kind}`);
}

export async function listen(state: State, port: number): Promise<Server> {
  const server = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: wireLimits.daemonFrameBytes,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const { refuseUpgrades, revoked } = state.levers;
    if (refuseUpgrades || revoked || request.headers.authorization !== 'Bearer test-daemon-key') {
      const status = refuseUpgrades ? '503 Busy\r\nRetry-After: 0' : '401 No';
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => accept(state, ws));
  });
  for (;;) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => resolve());
      });
      return server;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function accept(state: State, socket: WebSocket): void {
  state.socket?.close(4409, 'replaced');
  state.socket?.resume();
  state.socket = socket;
  state.welcomed = false;
  socket.on('message', (data) => {
    const frame = zDaemonFrame.safeParse(
      JSON.parse(Buffer.isBuffer(data) ? data.toString() : 'null'),
    );
    if (!frame.success) state.faults.push(`a frame that does not fit: ${frame.error.message}`);
    else if (state.socket === socket) onFrame(state, frame.data);
    changed(state);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (state.socket === socket) {
      state.socket = null;
      state.welcomed = false;
    }
    changed(state);
  });
}

function onFrame(state: State, frame: DaemonFrame): void {
  switch (frame.type) {
    case 'hello':
      return onHello(state, frame);
    case 'reports':
      return onReports(state, frame);
    case 'ack':
      state.ackedCommandSeq = Math.max(state.ackedCommandSeq, frame.commandSeq);
      return;
    case 'heartbeat':
      state.running = frame.running;
      if (state.levers.muteLeases) return;
      return send(state, {
        type: 'lease',
        beat: frame.beat,
        leaseMs: 60_000,
        ...split(state, frame.running, 'renewed'),
      });
    case 'ask':
      state.asks.push(frame.ask);
      return answerAsk(state, frame.askId, frame.ask);
    case 'answer':
  }
}

function onHello(state: State, hello: Hello): void {
  state.hellos.push(hello);
  state.running = null;
  state.epoch += 1;
  state.welcomed = true;
  send(state, {
    type: 'welcome',
    daemonId: state.daemonId,
    sessionEpoch: state.epoch,
    reportAck: state.applied.get(hello.journalId) ?? 0,
    ...split(state, hello.running, 'keep'),
    serverTime: new Date().toISOString(),
  });
  sendCommands(state, hello.lastCommandSeq);
}

function split<K extends 'keep' | 'renewed'>(
  state: State,
  running: readonly Running[],
  name: K,
): Record<K | 'fenced', Running[]> {
  const isFenced = (of: Running): boolean => state.fenced.some((other) => same(other, of));
  return {
    [name]: running.filter((of) => !isFenced(of)),
    fenced: running.filter(isFenced),
  } as Record<K | 'fenced', Running[]>;
}

function onReports(state: State, frame: Extract<DaemonFrame, { type: 'reports' }>): void {
  if (state.levers.deafToReports) {
    state.unheard += frame.reports.length;
    return;
  }
  const { journalId, fromSeq, reports } = frame;
  for (const [index, report] of reports.entries()) {
    const seq = fromSeq + index;
    const applied = state.applied.get(journalId) ?? 0;
    if (seq <= applied) continue;
    if (seq !== applied + 1) {
      state.faults.push(`report ${seq} after ${applied}`);
      break;
    }
    state.applied.set(journalId, seq);
    checkLines(state, report);
    const isBulk = report.kind === 'task.outputted' || report.kind === 'transcript.stored';
    if (state.levers.forgetful && isBulk) state.forgotten += JSON.stringify(report).length;
    else state.reports.push(report);
  }
  const reportSeq = state.applied.get(journalId) ?? 0;
  if (!state.levers.muteAcks) send(state, { type: 'ack', journalId, reportSeq });
}

/** Output of an attempt is numbered from 1 without a gap. */
function checkLines(state: State, report: Report): void {
  if (report.kind !== 'task.outputted') return;
  const key = `${report.taskId}/${report.attempt}`;
  const expected = (state.lineSeq.get(key) ?? 0) + 1;
  if (report.fromSeq !== expected) {
    state.faults.push(`line ${report.fromSeq} of ${key} where ${expected} was due`);
  }
  state.lineSeq.set(key, report.fromSeq + report.lines.length - 1);
}

function answerAsk(state: State, askId: string, ask: DaemonAsk): void {
  try {
    const result = state.levers.answer(ask);
    if (result !== undefined) send(state, { type: 'answer', askId, ok: true, result, error: null });
  } catch (error) {
    const words = error instanceof Error ? error.message : 'refused';
    send(state, { type: 'answer', askId, ok: false, result: null, error: words });
  }
}

export function sendCommands(state: State, afterSeq: number): void {
  const commands = state.commands.filter(({ seq }) => seq > afterSeq);
  if (state.welcomed && commands.length > 0)
    send(state, { type: 'commands', after: afterSeq, commands });
}

function send(state: State, frame: ServerFrame): void {
  const { socket } = state;
  for (const afterMs of state.levers.meddle(frame)) {
    if (afterMs === 0) socket?.send(JSON.stringify(frame));
    else setTimeout(() => socket?.send(JSON.stringify(frame)), afterMs);
  }
}

function changed(state: State): void {
  for (const look of state.watchers) look();
}
