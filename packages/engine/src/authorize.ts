/**
 * What a caller may touch, asked at the start of every verb. The door has checked the route's policy; here
 * the rows are checked: owner, contract, task, and that an agent's attempt is still the present one.
 *
 * Law: a foreign id is not found, whoever asks; "forbidden" is only for a verb that the credential lacks.
 */
import { MakimaError } from '@makima/domain/error';
import type { Scope } from '@makima/contracts/http/endpoint';
import { isAttemptLive } from '@makima/domain/task';
import { findAttempt } from '@makima/db/repo/attempts';
import { findContract, lockContract } from '@makima/db/repo/contracts';
import { findTask, lockTask } from '@makima/db/repo/tasks';
import type { Queryable, Tx } from '@makima/db/client';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from './context.ts';
import type { Agent, Person, Principal } from './principal.ts';

export function contractNotFound(id: string): MakimaError {
  return new MakimaError('CONTRACT_NOT_FOUND', `there is no contract ${id}`, {
    fix: 'list them: makima contracts list',
  });
}

export function notFound(what: string, id: string, fix?: string): MakimaError {
  return new MakimaError(
    'NOT_FOUND',
    `there is no ${what} ${id}`,
    fix === undefined ? {} : { fix },
  );
}

/** Daemons report and are told; they read and change nothing else. */
export function refuseDaemon(caller: Principal): void {
  if (caller.kind === 'daemon') {
    throw new MakimaError('FORBIDDEN', 'a daemon’s key does not open this');
  }
}

/** An agent sees its own contract only; everybody sees only their owner's. */
export async function readableContract(
  db: Queryable,
  caller: Principal,
  id: string,
): Promise<ContractRow> {
  refuseDaemon(caller);
  if (caller.kind === 'agent' && caller.contractId !== id) throw contractNotFound(id);
  const row = await findContract(db, { ownerId: caller.ownerId, id });
  if (row === undefined) throw contractNotFound(id);
  return row;
}

export async function lockedContract(
  tx: Tx,
  caller: Principal,
  id: string,
  strength: 'update' | 'share',
): Promise<ContractRow> {
  refuseDaemon(caller);
  if (caller.kind === 'agent' && caller.contractId !== id) throw contractNotFound(id);
  const row = await lockContract(tx, { ownerId: caller.ownerId, id, strength });
  if (row === undefined) throw contractNotFound(id);
  return row;
}

/** A supervisor sees the tasks of its contract; a task's agent only its own task. */
function mayReadTask(caller: Principal, task: TaskRow): boolean {
  if (caller.kind !== 'agent') return true;
  if (caller.isSupervisor) return task.contractId === caller.contractId;
  return task.id === caller.taskId;
}

export async function readableTask(db: Queryable, caller: Principal, id: string): Promise<TaskRow> {
  refuseDaemon(caller);
  const row = await findTask(db, { ownerId: caller.ownerId, id });
  if (row === undefined || !mayReadTask(caller, row)) throw notFound('task', id);
  return row;
}

export async function lockedTask(tx: Tx, caller: Principal, id: string): Promise<TaskRow> {
  refuseDaemon(caller);
  const row = await lockTask(tx, { ownerId: caller.ownerId, id });
  if (row === undefined || !mayReadTask(caller, row)) throw notFound('task', id);
  return row;
}

/** The caller leads this contract, now: its epoch is the present one. Locks the supervisor's task. */
export async function requireSupervisor(act: Act, contractId: string | null): Promise<TaskRow> {
  const agent = requireAgent(act.caller);
  if (!agent.isSupervisor) {
    throw new MakimaError('NOT_SUPERVISOR', 'only the supervisor of the contract may do this');
  }
  if (contractId !== null && agent.contractId !== contractId) throw contractNotFound(contractId);
  return requirePresent(act, agent);
}

/** The agent's attempt is the present one and live; any other is fenced. Locks its task. */
export async function requirePresent(act: Act, agent: Agent): Promise<TaskRow> {
  const task = await lockTask(act.tx, { ownerId: agent.ownerId, id: agent.taskId });
  if (task === undefined) throw notFound('task', agent.taskId);
  if (task.currentAttempt !== agent.attempt) {
    throw new MakimaError(
      'FENCED',
      `attempt ${agent.attempt} is over; attempt ${task.currentAttempt} goes on`,
      {
        details: { attempt: agent.attempt, current: task.currentAttempt },
        fix: 'stop: another agent continues this work',
      },
    );
  }
  // Whoever ends an attempt holds its task's lock.
  const attempt = await findAttempt(act.tx, agent);
  if (attempt === undefined || !isAttemptLive(attempt.state)) {
    throw new MakimaError('FENCED', `attempt ${agent.attempt} is over`, {
      details: { attempt: agent.attempt, current: task.currentAttempt },
      fix: 'stop: what is left of this work is given to another agent',
    });
  }
  return task;
}

export function requireAgent(caller: Principal): Agent {
  if (caller.kind === 'agent') return caller;
  throw new MakimaError('NO_CONTEXT', 'only an agent, by its tool key, can do this');
}

/** A person with the right to change things, for verbs that agents must never reach. */
export function requirePerson(caller: Principal, what: string): Person {
  return personWith(caller, 'write', what);
}

/** An owner: keys, machines, deletion. */
export function requireOwner(caller: Principal, what: string): Person {
  return personWith(caller, 'owner', what);
}

/** Any person, for lists over everything of an owner; the control plane may look too. */
export function requireReader(caller: Principal, what: string): void {
  if (caller.kind !== 'system') personWith(caller, 'read', what);
}

/**
 * Whoever may lead a contract: a person who may write, the control plane, or the contract's supervisor in
 * its present epoch, whose locked task is answered.
 */
export async function requireLead(
  act: Act,
  contractId: string | null,
  what: string,
): Promise<TaskRow | undefined> {
  if (act.caller.kind === 'agent') return requireSupervisor(act, contractId);
  if (act.caller.kind !== 'system') requirePerson(act.caller, what);
  return undefined;
}

/** `owner` includes `write`, `write` includes `read`; of a key's scopes as of a person's role. */
const scopeRank: Readonly<Record<Scope, number>> = { read: 1, write: 2, owner: 3 };
const roleRank: Readonly<Record<Person['role'], number>> = { viewer: 1, member: 2, owner: 3 };

function personWith(caller: Principal, needed: Scope, what: string): Person {
  if (caller.kind !== 'person') {
    throw new MakimaError('FORBIDDEN', `only a person may ${what}`, {
      fix: 'a person runs it with their own key',
    });
  }
  const scope = Math.max(0, ...caller.scopes.map((name) => scopeRank[name]));
  if (scope < scopeRank[needed]) {
    throw new MakimaError('FORBIDDEN', `this key may not ${what}: it lacks the scope "${needed}"`, {
      fix: 'use a key with that scope',
    });
  }
  if (roleRank[caller.role] < scopeRank[needed]) {
    throw new MakimaError('FORBIDDEN', `a ${caller.role} may not ${what}`, { fix: 'ask an owner' });
  }
  return caller;
}
