/**
 * A house to test in: an owner, machines that have joined, contracts with tasks. Made by verbs over a real
 * database; a machine here is played by the verbs that the gateway calls.
 *
 * Law: state comes about by verbs only, so that what a test builds could exist.
 */
import { randomUUID } from 'node:crypto';
import type { Hint } from '@makima/contracts/channels';
import {
  zContractInput,
  type ContractDetail,
  type ContractInput,
} from '@makima/contracts/entity/contract';
import type { Task } from '@makima/contracts/entity/task';
import { socketProtocol, type Hello } from '@makima/contracts/socket/frames';
import type { Report } from '@makima/contracts/socket/reports';
import type { Database } from '@makima/db/client';
import { limits } from '@makima/domain/limits';
import type { Engine, Settings } from '../context.ts';
import { createContract } from '../contract/create.ts';
import { connectDaemon } from '../daemon/connect.ts';
import { authenticate } from '../identity/authenticate.ts';
import { createEnrolment, enrolDaemon } from '../identity/enrol.ts';
import { ensureOwner } from '../identity/ensure-owner.ts';
import { defaultSettings } from '../settings.ts';
import type { DaemonPrincipal, Person } from '../principal.ts';
import { applyReports } from '../report/apply.ts';
import { assignPending } from '../task/assign.ts';
import { spawnTask } from '../task/spawn.ts';

export const testSettings: Settings = {
  ...defaultSettings,
  completionGraceMs: 300_000,
  inputTimeoutMs: 86_400_000,
  archiveAfterMs: 2_592_000_000,
  archiveRetentionMs: 2_592_000_000,
  leaseMs: 60_000,
  maxRetries: 3,
  autoAdvancePhases: true,
  staleThresholdMs: 1_800_000,
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 120_000,
  parkAfterMs: 120_000,
  webhookAllowedHosts: [],
  prices: new Map(),
};

/** An engine that only remembers what it told. */
export function testEngine(
  database: Database,
  settings: Partial<Settings> = {},
): Engine & { readonly told: Hint[] } {
  const told: Hint[] = [];
  return {
    database,
    limits,
    settings: { ...testSettings, ...settings },
    committed: ({ hints }) => void told.push(...hints),
    told,
  };
}

export interface Machine {
  readonly principal: DaemonPrincipal;
  readonly key: string;
  readonly journalId: string;
}

export interface ConnectedMachine extends Machine {
  readonly sessionEpoch: number;
  report(...reports: Report[]): Promise<void>;
}

export interface House {
  readonly engine: Engine;
  readonly ownerId: string;
  readonly owner: Person;
  readonly ownerKey: string;
  /** A machine that has joined and is not connected. */
  join(): Promise<Machine>;
  /** One that is connected, by verbs. */
  connect(hello?: Partial<Hello>): Promise<ConnectedMachine>;
  /** A contract with one repository and its supervisor's task pending. */
  contract(input?: Partial<ContractInput>): Promise<ContractDetail>;
  spawn(contractId: string, name?: string): Promise<Task>;
  /** Places what is pending; and says for the machine that each agent runs. */
  assign(machine?: ConnectedMachine): Promise<{ taskId: string; attempt: number }[]>;
}

/** The first owner of an empty database, and what they own. */
export async function openHouse(engine: Engine): Promise<House> {
  const { ownerId, ownerKey } = await ensureOwner(engine);
  const owner = await authenticate(engine, ownerKey ?? '');
  if (owner?.kind !== 'person' || ownerKey === null) throw new Error('the house has an owner');
  const join = async (): Promise<Machine> => {
    const enrolment = await createEnrolment(engine, { caller: owner }, { expiresInSeconds: 900 });
    const name = `m-${randomUUID()}`;
    const { key } = await enrolDaemon(engine, {
      token: enrolment.result.token,
      name,
      host: 'test',
    });
    const principal = await authenticate(engine, key);
    if (principal?.kind !== 'daemon') throw new Error('the machine did not join');
    return { principal, key, journalId: randomUUID() };
  };
  return {
    engine,
    ownerId,
    owner,
    ownerKey,
    join,
    connect: async (hello) => connectMachine(engine, await join(), hello),
    async contract(input = {}) {
      const whole = zContractInput.parse({
        name: `Contract ${randomUUID().slice(0, 8)}`,
        description: 'make it work',
        repositories: [{ localPath: '/srv/repository' }],
        agent: 'scripted',
        ...input,
      });
      return (await createContract(engine, { caller: owner }, whole)).result;
    },
    async spawn(contractId, name = 'task') {
      const input = {
        contractId,
        name,
        plan: 'do it',
        needs: [],
        copyFiles: [],
        ownWorktree: true,
        completionAction: 'none' as const,
        autonomousLoop: false,
        onLimit: 'resume' as const,
      };
      return (await spawnTask(engine, { caller: owner }, input)).result;
    },
    async assign(machine) {
      const caller = { kind: 'system' as const, ownerId, name: 'test' };
      const { result } = await assignPending(engine, caller);
      const mine = result.assigned.filter((one) => one.daemonId === machine?.principal.daemonId);
      if (mine.length > 0) await machine?.report(...mine.map(startedReport));
      return result.assigned.map(({ taskId, attempt }) => ({ taskId, attempt }));
    },
  };
}

async function connectMachine(
  engine: Engine,
  machine: Machine,
  hello: Partial<Hello> = {},
): Promise<ConnectedMachine> {
  const { principal, journalId } = machine;
  const whole = testHello({ journalId, ...hello });
  const { sessionEpoch } = await connectDaemon(engine, principal, whole, {
    gatewayId: randomUUID(),
  });
  let fromSeq = 1;
  return {
    ...machine,
    sessionEpoch,
    async report(...reports) {
      await applyReports(engine, principal, { sessionEpoch, journalId, fromSeq, reports });
      fromSeq += reports.length;
    },
  };
}

export function testHello(hello: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    protocol: socketProtocol,
    bootId: randomUUID(),
    journalId: randomUUID(),
    lastCommandSeq: 0,
    version: '1',
    host: 'test',
    maxConcurrentTasks: 50,
    agents: [
      { kind: 'scripted', version: '1', tested: true, available: true, signedIn: null, note: null },
    ],
    running: [],
    ...hello,
  };
}

export function startedReport(of: { taskId: string; attempt: number }): Report {
  return {
    kind: 'task.started',
    taskId: of.taskId,
    attempt: of.attempt,
    pid: 4_242,
    sessionId: randomUUID(),
    baseSha: null,
    branch: `makima/test/${of.taskId}-a${of.attempt}`,
    worktreePath: `/nowhere/${of.taskId}`,
    agentVersion: '1',
    resumedFrom: 'new',
  };
}

export function endedReport(
  of: { taskId: string; attempt: number },
  how: { outcome: 'done' | 'failed' | 'crashed' | 'parked' | 'daemon_restarted'; error?: string },
): Report {
  return {
    kind: 'task.ended',
    taskId: of.taskId,
    attempt: of.attempt,
    outcome: how.outcome,
    summary: `ended: ${how.outcome}`,
    error: how.error ?? null,
    exitCode: how.outcome === 'crashed' ? 1 : 0,
    signal: null,
    commitSha: null,
    keptRef: null,
    usage: null,
  };
}
