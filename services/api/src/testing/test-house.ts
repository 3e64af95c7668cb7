/**
 * A house to test in: a contract with its supervisor and tasks, on a machine that this file plays by the
 * verbs of the gateway. Every key of every kind is real.
 *
 * Law: state comes about by verbs only; a table is written to where no verb exists (people besides the owner).
 */
import { randomUUID } from 'node:crypto';
import { socketProtocol } from '@makima/contracts/socket/frames';
import type { Report } from '@makima/contracts/socket/reports';
import type { Command } from '@makima/contracts/socket/commands';
import { createContract } from '@makima/engine/contract/create';
import { createDirective } from '@makima/engine/directive/create';
import { authenticate } from '@makima/engine/identity/authenticate';
import { connectDaemon } from '@makima/engine/daemon/connect';
import { pullCommands } from '@makima/engine/daemon/pull';
import { createEnrolment, enrolDaemon } from '@makima/engine/identity/enrol';
import { issueToolKey } from '@makima/engine/identity/issue-tool-key';
import { hashToken, mintToken } from '@makima/engine/identity/token';
import { applyReports } from '@makima/engine/report/apply';
import { assignPending } from '@makima/engine/task/assign';
import type { Engine } from '@makima/engine/context';
import type { DaemonPrincipal, Person } from '@makima/engine/principal';
import type { Scope } from '@makima/contracts/http/endpoint';
import { zContractInput } from '@makima/contracts/entity/contract';
import { zDirectiveInput, type DirectiveDetail } from '@makima/contracts/entity/directive';
import type { ContractDetail } from '@makima/contracts/entity/contract';

type HouseApi = { readonly engine: Engine; readonly ownerKey: string; readonly ownerId: string };

export async function ownerOf({ engine, ownerKey }: HouseApi): Promise<Person> {
  const principal = await authenticate(engine, ownerKey);
  if (principal?.kind !== 'person') throw new Error('the owner key is nobody’s');
  return principal;
}

/** A key of a person of this role; verbs make keys of their caller only. */
export async function personKey(
  engine: Engine,
  who: { ownerId: string; role: Person['role']; scopes: Scope[] },
): Promise<string> {
  const { sql } = engine.database;
  const minted = mintToken('user', randomUUID());
  const [user] = await sql<{ id: string }[]>`
    insert into users (owner_id, name, role) values (${who.ownerId}, ${who.role}, ${who.role}) returning id`;
  await sql`insert into keys (id, owner_id, kind, name, hash, scopes, user_id)
    values (${minted.id}, ${who.ownerId}, 'user', 'test', ${hashToken(minted.token)}, ${who.scopes}, ${user?.id ?? null})`;
  return minted.token;
}

/** Another owner with a key of their own: what they own must be invisible to the first. */
export async function strangerKey(engine: Engine): Promise<{ ownerId: string; key: string }> {
  const [row] = await engine.database.sql<
    { id: string }[]
  >`insert into owners (name) values ('stranger') returning id`;
  const ownerId = row?.id ?? '';
  return {
    ownerId,
    key: await personKey(engine, { ownerId, role: 'owner', scopes: ['read', 'write', 'owner'] }),
  };
}

export interface TestMachine {
  readonly principal: DaemonPrincipal;
  readonly key: string;
  /** Give every pending task a place, and say that their agents run. */
  assign(): Promise<void>;
  report(...reports: Report[]): Promise<void>;
  /** Commands since the last look. */
  commands(): Promise<Command[]>;
  toolKey(task: { taskId: string; attempt: number }): Promise<string>;
}

/** A machine that has joined and is connected. */
export async function joinMachine(api: HouseApi): Promise<TestMachine> {
  const { engine } = api;
  const caller = await ownerOf(api);
  const enrolment = await createEnrolment(engine, { caller }, { expiresInSeconds: 900 });
  const { daemonId, key } = await enrolDaemon(engine, {
    token: enrolment.result.token,
    name: `m-${randomUUID()}`,
    host: 'test',
  });
  const principal = await authenticate(engine, key);
  if (principal?.kind !== 'daemon') throw new Error(`${daemonId} did not join`);
  const journalId = randomUUID();
  const hello = {
    type: 'hello' as const,
    protocol: socketProtocol,
    bootId: randomUUID(),
    journalId,
    lastCommandSeq: 0,
    version: '1',
    host: 'test',
    maxConcurrentTasks: 50,
    agents: [
      { kind: 'scripted', version: '1', tested: true, available: true, signedIn: null, note: null },
    ],
    running: [],
  };
  const { sessionEpoch } = await connectDaemon(engine, principal, hello, {
    gatewayId: randomUUID(),
  });
  let seq = 1;
  let afterSeq = 0;
  const machine: TestMachine = {
    principal,
    key,
    async assign() {
      const { result } = await assignPending(engine, {
        kind: 'system',
        ownerId: api.ownerId,
        name: 'test',
      });
      for (const { taskId, attempt } of result.assigned)
        await machine.report(started(taskId, attempt));
    },
    async report(...reports) {
      await applyReports(engine, principal, { sessionEpoch, journalId, fromSeq: seq, reports });
      seq += reports.length;
    },
    async commands() {
      const pulled = await pullCommands(engine, { daemonId, afterSeq, limit: 100 });
      afterSeq = pulled.at(-1)?.seq ?? afterSeq;
      return pulled.map((each) => each.command);
    },
    async toolKey(task) {
      return (await issueToolKey(engine, principal, task)).key;
    },
  };
  return machine;
}

function started(taskId: string, attempt: number): Report {
  return {
    kind: 'task.started',
    taskId,
    attempt,
    pid: 4242,
    sessionId: randomUUID(),
    baseSha: null,
    branch: `makima/test/${taskId}-a${attempt}`,
    worktreePath: `/nowhere/${taskId}`,
    agentVersion: '1',
    resumedFrom: 'new',
  };
}

export function ended(taskId: string, attempt: number, summary: string): Report {
  return {
    kind: 'task.ended',
    taskId,
    attempt,
    outcome: 'done',
    summary,
    error: null,
    exitCode: 0,
    signal: null,
    commitSha: 'a'.repeat(40),
    keptRef: null,
    usage: null,
  };
}

export interface TestContract {
  readonly detail: ContractDetail;
  readonly supervisorTaskId: string;
  readonly supervisorKey: string;
}

/** A contract whose supervisor runs on the machine. */
export async function startedContract(
  api: HouseApi,
  machine: TestMachine,
  input: Record<string, unknown> = {},
): Promise<TestContract> {
  const caller = await ownerOf(api);
  const wanted = zContractInput.parse({
    name: `contract ${randomUUID()}`,
    description: 'a goal',
    agent: 'scripted',
    repositories: [{ localPath: '/nowhere/repository' }],
    ...input,
  });
  const { result: detail } = await createContract(api.engine, { caller }, wanted);
  await machine.assign();
  const supervisorTaskId = detail.supervisorTaskId ?? '';
  const supervisorKey = await machine.toolKey({ taskId: supervisorTaskId, attempt: 1 });
  return { detail, supervisorTaskId, supervisorKey };
}

export interface TestDirective {
  readonly detail: DirectiveDetail;
  readonly taskId: string;
  readonly agentKey: string;
}

/** A directive whose agent runs on the machine. */
export async function startedDirective(
  api: HouseApi,
  machine: TestMachine,
  input: Record<string, unknown> = {},
): Promise<TestDirective> {
  const caller = await ownerOf(api);
  const wanted = zDirectiveInput.parse({
    title: `directive ${randomUUID()}`,
    goal: 'a standing goal',
    agent: 'scripted',
    localPath: '/nowhere/repository',
    ...input,
  });
  const { result: detail } = await createDirective(api.engine, { caller }, wanted);
  await machine.assign();
  const taskId = detail.tasks[0]?.id ?? '';
  return { detail, taskId, agentKey: await machine.toolKey({ taskId, attempt: 1 }) };
}
