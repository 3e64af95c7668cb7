/**
 * An engine on a database of its own, with an owner, people, and a driver for the jobs that verbs mail: it
 * takes them from the outbox and calls the verbs that the services call.
 *
 * Law: real verbs on a real Postgres; nothing here knows how a verb works.
 */
import type { MakimaError } from '@makima/domain/error';
import { randomUUID } from 'node:crypto';
import type { ContractDetail, ContractInput } from '@makima/contracts/entity/contract';
import { zContractInput } from '@makima/contracts/entity/contract';
import type { Hint } from '@makima/contracts/channels';
import type { JobName } from '@makima/contracts/jobs';
import { limits, type Limits } from '@makima/domain/limits';
import { openDatabase, type Database } from '@makima/db/client';
import { claimOutbox, markPublished } from '@makima/db/repo/outbox';
import { testDatabase } from '@makima/stack/test-stores';
import type { Call, Engine, Settings } from './context.ts';
import { cleanContract } from './contract/clean.ts';
import { createContract } from './contract/create.ts';
import { evaluateContract } from './contract/evaluate.ts';
import { authenticate } from './identity/authenticate.ts';
import { ensureOwner } from './identity/ensure-owner.ts';
import type { Person, System } from './principal.ts';
import { defaultSettings } from './settings.ts';
import { restoreSupervisor } from './supervisor/restore.ts';
import { saveState } from './supervisor/save-state.ts';
import { wakeSupervisor } from './supervisor/wake.ts';
import { assignPending } from './task/assign.ts';
import { decideRetryTask } from './task/retry.ts';

export interface TestEngine {
  readonly engine: Engine;
  readonly database: Database;
  readonly ownerId: string;
  /** The owner's person. */
  readonly owner: Person;
  readonly system: System;
  /** Hints that left after commits, oldest first. */
  readonly hints: Hint[];
  close(): Promise<void>;
}

export interface TestEngineOptions {
  readonly settings?: Partial<Settings>;
  readonly limits?: Partial<Limits>;
  readonly connections?: number;
  readonly lockTimeoutMs?: number;
}

export async function openTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const store = await testDatabase();
  const { lockTimeoutMs } = options;
  const database = openDatabase(store.url, {
    max: options.connections ?? 12,
    name: 'engine test',
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
  });
  const hints: Hint[] = [];
  const engine: Engine = {
    database,
    limits: {
      ...limits,
      spawnsPerContractPerMinuteMax: 10_000,
      webhooksPerOwnerMax: 1_000,
      ...options.limits,
    },
    settings: {
      ...defaultSettings,
      completionGraceMs: 0,
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
      ...options.settings,
    },
    committed: (told) => void hints.push(...told.hints),
  };
  const { ownerId, ownerKey } = await ensureOwner(engine);
  const owner = await authenticate(engine, ownerKey ?? '');
  if (owner?.kind !== 'person') throw new Error('the first owner has no key');
  return {
    engine,
    database,
    ownerId,
    owner,
    system: { kind: 'system', ownerId, name: 'test' },
    hints,
    close: async () => {
      await database.close();
      await store.drop();
    },
  };
}

/** Another owner in the same store, with a person: whose rows must never be seen. */
export async function stranger(t: TestEngine): Promise<Person> {
  const [owner] = await t.database.sql<{ id: string }[]>`
    insert into owners (name) values ('stranger') returning id`;
  return personOf(t, { ownerId: owner?.id ?? '', role: 'owner' });
}

export async function personOf(
  t: TestEngine,
  who: { ownerId?: string; role: Person['role']; name?: string },
): Promise<Person> {
  const ownerId = who.ownerId ?? t.ownerId;
  const name = who.name ?? who.role;
  const [user] = await t.database.sql<{ id: string }[]>`
    insert into users (owner_id, name, role) values (${ownerId}, ${name}, ${who.role}) returning id`;
  return {
    kind: 'person',
    ownerId,
    userId: user?.id ?? '',
    keyId: randomUUID(),
    name,
    role: who.role,
    scopes: ['read', 'write', 'owner'],
  };
}

/** A call of this person, without an idempotency key. */
export const by = (caller: Call['caller']): Call => ({ caller });

export const contractInput = (input: Partial<ContractInput> = {}): ContractInput =>
  zContractInput.parse({
    name: 'Build it',
    description: 'Make the test pass',
    agent: 'scripted',
    repositories: [{ localPath: '/srv/repositories/example' }],
    ...input,
  });

export async function newContract(
  t: TestEngine,
  input: Partial<ContractInput> = {},
): Promise<ContractDetail> {
  return (await createContract(t.engine, by(t.owner), contractInput(input))).result;
}

/** Do the jobs that are due until none is left; answers how many of each were done. */
export async function runJobs(t: TestEngine): Promise<Partial<Record<JobName, number>>> {
  const done: Partial<Record<JobName, number>> = {};
  const leaseOwner = randomUUID();
  for (let round = 0; round < 100; round += 1) {
    const due = await claimOutbox(t.database.sql, { leaseOwner, limit: 200 });
    if (due.length === 0) return done;
    for (const job of due) {
      await runJob(t, job.queue, job.payload as JobPayload);
      done[job.queue] = (done[job.queue] ?? 0) + 1;
    }
    await markPublished(t.database.sql, { leaseOwner, ids: due.map((job) => job.id) });
  }
  throw new Error('jobs beget jobs without end');
}

interface JobPayload {
  readonly ownerId: string;
  readonly contractId: string;
  readonly taskId: string;
  readonly attempt: number;
}

async function runJob(t: TestEngine, name: JobName, payload: JobPayload): Promise<void> {
  const caller: System = { kind: 'system', ownerId: payload.ownerId, name };
  switch (name) {
    case 'deliver-notification':
      // Sent by the scheduler; the engine only keeps the books.
      return;
    case 'spawn-task':
      await assignPending(t.engine, caller);
      return;
    case 'evaluate-contract':
      await evaluateContract(t.engine, caller, payload);
      return;
    case 'retry-task':
      await decideRetryTask(t.engine, caller, payload);
      return;
    case 'clean-contract':
      await cleanContract(t.engine, caller, payload);
      return;
    case 'save-state':
      await saveState(t.engine, caller, payload);
      return;
    case 'restore-supervisor':
      await restoreSupervisor(t.engine, caller, payload);
      return;
    case 'wake-supervisor':
      await wakeSupervisor(t.engine, caller, payload);
      return;
  }
}

/** The events of a contract, oldest first, as `type` with their data. */
export async function eventsOf(
  t: TestEngine,
  contractId: string,
): Promise<{ seq: number; type: string; taskId: string | null; data: Record<string, unknown> }[]> {
  return t.database.sql`
    select seq, type, task_id, data from events where contract_id = ${contractId} order by seq`;
}

/** What a verb threw, which must be an error of makima. */
export async function refusal(
  work: Promise<unknown>,
): Promise<Pick<MakimaError, 'code' | 'message' | 'details' | 'fix'>> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'details' in error) return error as never;
    throw error;
  }
  throw new Error('it was not refused');
}
