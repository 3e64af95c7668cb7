// Daemons of a benchmark: real sockets that speak the protocol and answer at once, with no agents behind them.
// Why: what is measured is the way of a command and of a report, not the time of a program that starts.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';
import type { Client } from '@makima/client/client';
import type { Command, TaskStart } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import { socketProtocol, zServerFrame, type Running } from '@makima/contracts/socket/frames';

export interface BenchDaemon {
  /** Called for each command as it arrives; the ack has been sent. */
  onCommand: (command: Command, atMs: number) => void;
  report(reports: readonly Report[]): void;
  /** What its signs of life name, every 10 s: a lease that is not renewed is over after 60 s. */
  running: readonly Running[];
  /** A sign of life at once. */
  beat(): void;
  /** No more signs of life but those that are asked for. */
  quiet(): void;
  close(): Promise<void>;
}

export async function joinDaemon(
  client: Client,
  gatewayUrl: string,
  places: number,
): Promise<BenchDaemon> {
  const { token } = await client.call('createEnrolment', { body: {} });
  const name = `bench-${randomUUID().slice(0, 8)}`;
  const { key } = await client.call('enrolDaemon', { body: { token, name, host: 'bench' } });
  const socket = new WebSocket(gatewayUrl, {
    headers: { authorization: `Bearer ${key}` },
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  const journalId = randomUUID();
  let reportSeq = 1;
  let beat = 0;
  const send = (frame: unknown): void => socket.send(JSON.stringify(frame));
  const daemon: BenchDaemon = {
    onCommand: () => {},
    report(reports) {
      send({ type: 'reports', journalId, fromSeq: reportSeq, reports });
      reportSeq += reports.length;
    },
    running: [],
    beat() {
      const { running } = daemon;
      send({ type: 'heartbeat', beat: beat++, running, freeDiskBytes: null });
    },
    quiet: () => clearInterval(beats),
    async close() {
      clearInterval(beats);
      socket.close();
      await once(socket, 'close');
    },
  };
  const welcomed = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const atMs = performance.now();
    const frame = zServerFrame.parse(JSON.parse(data.toString('utf8')));
    if (frame.type === 'welcome') welcomed.resolve();
    if (frame.type !== 'commands') return;
    const last = frame.commands.at(-1);
    if (last !== undefined) send({ type: 'ack', commandSeq: last.seq });
    for (const { command } of frame.commands) daemon.onCommand(command, atMs);
  });
  send({
    type: 'hello',
    protocol: socketProtocol,
    bootId: randomUUID(),
    journalId,
    lastCommandSeq: 0,
    version: 'bench',
    host: 'bench',
    maxConcurrentTasks: places,
    agents: [
      { kind: 'scripted', version: '1', tested: true, available: true, signedIn: null, note: null },
    ],
    running: [],
  });
  await welcomed.promise;
  const beats = setInterval(() => daemon.beat(), 10_000);
  beats.unref();
  return daemon;
}

export function startedReport(start: TaskStart): Report {
  return {
    kind: 'task.started',
    taskId: start.taskId,
    attempt: start.attempt,
    pid: 1,
    sessionId: start.sessionId,
    baseSha: null,
    branch: start.branch,
    worktreePath: '/bench',
    agentVersion: 'bench',
    resumedFrom: 'new',
  };
}

export function doneReport(start: TaskStart): Report {
  return {
    kind: 'task.ended',
    taskId: start.taskId,
    attempt: start.attempt,
    outcome: 'done',
    summary: 'done',
    error: null,
    exitCode: 0,
    signal: null,
    commitSha: null,
    keptRef: null,
    usage: null,
  };
}
