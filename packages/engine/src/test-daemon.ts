/**
 * A daemon as the engine sees it: it joins by a one-time token, says hello, pulls and acks commands, and
 * reports from a journal with gapless numbers. What its agents do is said by the test.
 *
 * Law: it speaks only through the verbs of the gateway.
 */
import { randomUUID } from 'node:crypto';
import { socketProtocol } from '@makima/contracts/socket/frames';
import type { Command, CommandOf } from '@makima/contracts/socket/commands';
import type {
  OperationResult,
  OutputLine,
  Report,
  ReportOf,
} from '@makima/contracts/socket/reports';
import { ackCommands, pullCommands } from './daemon/pull.ts';
import { applyReports } from './report/apply.ts';
import { authenticate } from './identity/authenticate.ts';
import { connectDaemon, type Welcome } from './daemon/connect.ts';
import { createEnrolment, enrolDaemon } from './identity/enrol.ts';
import { issueToolKey } from './identity/issue-tool-key.ts';
import type { Agent, DaemonPrincipal, Person } from './principal.ts';
import { by, type TestEngine } from './test-engine.ts';

export const sha = (digit: string): string => digit.repeat(40).slice(0, 40);

export interface TestDaemonOptions {
  readonly slots?: number;
  readonly agents?: readonly string[];
  readonly owner?: Person;
}

export class TestDaemon {
  readonly t: TestEngine;
  readonly principal: DaemonPrincipal;
  readonly journalId = randomUUID();
  readonly slots: number;
  readonly agents: readonly string[];
  sessionEpoch = 0;
  /** Number of the last report that was written to the journal. */
  seq = 0;
  commandSeq = 0;
  /** Every command that was pulled, in order. */
  readonly commands: Command[] = [];

  private constructor(t: TestEngine, principal: DaemonPrincipal, options: TestDaemonOptions) {
    this.t = t;
    this.principal = principal;
    this.slots = options.slots ?? 4;
    this.agents = options.agents ?? ['scripted', 'claude'];
  }

  static async join(t: TestEngine, options: TestDaemonOptions = {}): Promise<TestDaemon> {
    const owner = options.owner ?? t.owner;
    const { result } = await createEnrolment(t.engine, by(owner), { expiresInSeconds: 60 });
    const { key } = await enrolDaemon(t.engine, { token: result.token, name: 'box', host: 'box' });
    const principal = await authenticate(t.engine, key);
    if (principal?.kind !== 'daemon') throw new Error('the daemon has no key');
    const daemon = new TestDaemon(t, principal, options);
    await daemon.connect();
    return daemon;
  }

  get id(): string {
    return this.principal.daemonId;
  }

  async connect(running: readonly { taskId: string; attempt: number }[] = []): Promise<Welcome> {
    const agent = { version: '1', tested: true, available: true, signedIn: true, note: null };
    const welcome = await connectDaemon(
      this.t.engine,
      this.principal,
      {
        type: 'hello',
        protocol: socketProtocol,
        bootId: randomUUID(),
        journalId: this.journalId,
        lastCommandSeq: this.commandSeq,
        version: '0.1.0',
        host: 'box',
        maxConcurrentTasks: this.slots,
        agents: this.agents.map((kind) => ({ kind, ...agent })),
        running: [...running],
      },
      { gatewayId: randomUUID() },
    );
    this.sessionEpoch = welcome.sessionEpoch;
    return welcome;
  }

  /** What it is told since the last time, acked. */
  async pull(): Promise<Command[]> {
    const told = await pullCommands(this.t.engine, {
      daemonId: this.id,
      afterSeq: this.commandSeq,
      limit: 500,
    });
    const last = told.at(-1);
    if (last === undefined) return [];
    await ackCommands(this.t.engine, { daemonId: this.id, upToSeq: last.seq });
    this.commandSeq = last.seq;
    this.commands.push(...told.map(({ command }) => command));
    return told.map(({ command }) => command);
  }

  async pullOnly<K extends Command['kind']>(kind: K): Promise<CommandOf<K>[]> {
    return (await this.pull()).filter((command): command is CommandOf<K> => command.kind === kind);
  }

  /** Journal these and send them as one frame; answers up to where they are applied. */
  async report(...reports: Report[]): Promise<number> {
    const fromSeq = this.seq + 1;
    this.seq += reports.length;
    return this.send(fromSeq, reports);
  }

  async send(fromSeq: number, reports: readonly Report[]): Promise<number> {
    const { sessionEpoch, journalId } = this;
    const frame = { sessionEpoch, journalId, fromSeq, reports };
    return (await applyReports(this.t.engine, this.principal, frame)).appliedSeq;
  }

  /** The agent of this start command runs. */
  async started(start: Pick<CommandOf<'task.start'>, 'taskId' | 'attempt'>): Promise<void> {
    await this.report(startedReport(start));
  }

  async ended(
    of: { taskId: string; attempt: number },
    end: Partial<ReportOf<'task.ended'>> = {},
  ): Promise<void> {
    await this.report(endedReport(of, end));
  }

  async finish(operationId: string, result: OperationResult): Promise<void> {
    await this.report({ kind: 'operation.finished', operationId, ok: true, result, error: null });
  }

  /** The principal behind the tool key of an attempt that runs here. */
  async agent(of: { taskId: string; attempt: number }): Promise<Agent> {
    const { key } = await issueToolKey(this.t.engine, this.principal, of);
    const agent = await authenticate(this.t.engine, key);
    if (agent?.kind !== 'agent') throw new Error('the tool key stands for nobody');
    return agent;
  }
}

type Fence = { readonly taskId: string; readonly attempt: number };

export function startedReport({ taskId, attempt }: Fence): ReportOf<'task.started'> {
  return {
    kind: 'task.started',
    taskId,
    attempt,
    pid: 4_242,
    sessionId: randomUUID(),
    baseSha: sha('a'),
    branch: 'makima/x/y-a1',
    worktreePath: '/srv/worktrees/y',
    agentVersion: '1',
    resumedFrom: attempt === 1 ? 'new' : 'session',
  };
}

export function endedReport(
  { taskId, attempt }: Fence,
  end: Partial<ReportOf<'task.ended'>> = {},
): ReportOf<'task.ended'> {
  return {
    kind: 'task.ended',
    taskId,
    attempt,
    outcome: 'done',
    summary: 'It is done.',
    error: null,
    exitCode: 0,
    signal: null,
    commitSha: sha('b'),
    keptRef: null,
    usage: null,
    ...end,
  };
}

export function outputReport(
  { taskId, attempt }: Fence,
  fromSeq: number,
  ...texts: string[]
): ReportOf<'task.outputted'> {
  return { kind: 'task.outputted', taskId, attempt, fromSeq, lines: texts.map(lineOf) };
}

function lineOf(content: string): OutputLine {
  return {
    messageType: 'assistant',
    content,
    toolName: null,
    toolUseId: null,
    isError: false,
    costUsd: null,
    durationMs: null,
    isPartial: false,
    at: '2026-01-01T00:00:00.000Z',
  };
}
