/**
 * A gateway for the daemon's tests: the real wire contract over a real socket, with a store that outlives its
 * connections and levers for everything that goes wrong on a network.
 *
 * Law: it keeps the server's side of the protocol (each report applied once and in order, commands kept until
 * acked) unless a lever says otherwise, so that what a test counts is what a server would have.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import type { DaemonAsk } from '@makima/contracts/socket/asks';
import type { Command } from '@makima/contracts/socket/commands';
import type { Hello, Running } from '@makima/contracts/socket/frames';
import type { OutputLine, Report, ReportOf } from '@makima/contracts/socket/reports';
import {
  close,
  createState,
  listen,
  same,
  sendCommands,
  type Levers,
  type State,
} from './gateway-talk.ts';

export interface FakeGateway {
  readonly url: string;
  readonly levers: Levers;
  /** Applied reports in order, of all journals. */
  readonly reports: Report[];
  readonly hellos: Hello[];
  readonly asks: DaemonAsk[];
  /** Attempts that are told to be over, with welcome and lease. */
  readonly fenced: Running[];
  /** Frames that did not fit the contract, and what the law of sequences was broken by. */
  readonly faults: string[];
  readonly ackedCommandSeq: number;
  /** Characters of what it did not keep. */
  readonly forgotten: number;
  /** Reports that came while it was deaf to them. */
  readonly unheard: number;
  readonly connected: boolean;
  /** What the latest heartbeat named; null before the first one of a connection. */
  readonly running: readonly Running[] | null;
  /** Keeps and sends a command; its number. */
  command(command: Command): number;
  /** Up to where reports are applied is told as one less from now on. */
  forget(): void;
  /** A frame past all rules. */
  sendRaw(data: string | Buffer): void;
  /** Commands again, however often they were acked. */
  resend(fromSeq: number): void;
  /** Cuts the connection without a goodbye. */
  cut(): void;
  /** Reads no more of the connection, and does not notice that the daemon gave it up: half open. */
  hang(): void;
  /** Another process with the daemon's key takes its place, and nobody else is let in meanwhile. */
  takeOver(): Promise<void>;
  /** Dies and comes back on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Resolves with the first truthy value that `look` gives, asked after each frame. */
  until<T>(what: string, look: () => T | null | undefined | false, limitMs?: number): Promise<T>;
  of<K extends Report['kind']>(kind: K): ReportOf<K>[];
  lines(of: Running): OutputLine[];
  ended(of: Running): Promise<ReportOf<'task.ended'>>;
  finished(operationId: string): Promise<ReportOf<'operation.finished'>>;
  stop(): Promise<void>;
}

export async function createFakeGateway(): Promise<FakeGateway> {
  const state = createState();
  let server = await listen(state, 0);
  const { port } = server.address() as AddressInfo;
  const gateway: FakeGateway = {
    url: `ws://127.0.0.1:${port}/daemon`,
    levers: state.levers,
    reports: state.reports,
    hellos: state.hellos,
    asks: state.asks,
    fenced: state.fenced,
    faults: state.faults,
    get ackedCommandSeq() {
      return state.ackedCommandSeq;
    },
    get connected() {
      return state.welcomed;
    },
    get forgotten() {
      return state.forgotten;
    },
    get unheard() {
      return state.unheard;
    },
    get running() {
      return state.running;
    },
    command(command) {
      const seq = state.commands.length + 1;
      state.commands.push({ seq, command });
      sendCommands(state, seq - 1);
      return seq;
    },
    forget() {
      for (const [journalId, seq] of state.applied) state.applied.set(journalId, seq - 1);
    },
    sendRaw: (data) => state.socket?.send(data),
    resend: (fromSeq) => sendCommands(state, fromSeq - 1),
    cut: () => state.socket?.terminate(),
    hang: () => state.socket?.pause(),
    async takeOver() {
      const headers = { authorization: 'Bearer test-daemon-key' };
      await once(new WebSocket(gateway.url, { headers }), 'open');
      state.levers.refuseUpgrades = true;
    },
    async down() {
      state.socket?.terminate();
      await close(server);
    },
    async up() {
      server = await listen(state, port);
    },
    until: (what, look, limitMs) => until(state, what, look, limitMs),
    of: (kind) => state.reports.filter((report) => report.kind === kind) as never,
    lines: (of) =>
      state.reports.flatMap((report) =>
        report.kind === 'task.outputted' && same(report, of) ? report.lines : [],
      ),
    ended: (of) =>
      until(state, 'task.ended', () => gateway.of('task.ended').find((r) => same(r, of))),
    finished: (operationId) =>
      until(state, 'operation.finished', () =>
        gateway.of('operation.finished').find((report) => report.operationId === operationId),
      ),
    async stop() {
      state.socket?.terminate();
      await close(server);
    },
  };
  return gateway;
}

function until<T>(
  state: State,
  what: string,
  look: () => T | null | undefined | false,
  limitMs = 15_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      state.watchers.delete(check);
    };
    const timer = setTimeout(() => {
      finish();
      const kinds = state.reports.map((report) => report.kind).join(' ');
      reject(
        new Error(
          `waited ${limitMs} ms for ${what}; reports: ${kinds}; ${state.faults.join('; ')}`,
        ),
      );
    }, limitMs);
    const check = (): void => {
      const found = look();
      if (found === null || found === undefined || found === false) return;
      finish();
      resolve(found);
    };
    state.watchers.add(check);
    check();
  });
}
