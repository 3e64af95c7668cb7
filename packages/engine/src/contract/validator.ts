/**
 * The validator of a phase (M1.7): a command that the contract's machine runs at the head of the contract's
 * branch, when everything else that the gate asks for is there. Its exit code is the verdict.
 *
 * Law: a verdict speaks of the commit at which it was reached: when the branch moves on, it has not been run.
 */
import { contractBranch } from '@makima/domain/branch';
import {
  findPhase,
  validatorTimeoutSeconds,
  type PhaseDefinition,
} from '@makima/domain/contract-type';
import { leftBehind, movesSince } from '@makima/domain/evidence';
import type { Missing, ValidatorResult } from '@makima/domain/gate';
import { zOperationResult } from '@makima/contracts/socket/reports';
import { repositoriesOf } from '@makima/db/repo/contracts';
import { findDaemon } from '@makima/db/repo/daemons';
import { lastMovesAt } from '@makima/db/repo/branch-moves';
import { lastValidation, markOperationSeen } from '@makima/db/repo/operations';
import { findTask, lockTask } from '@makima/db/repo/tasks';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, OperationRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { order } from '../operation/order.ts';
import { wordsOf } from '../operation/words.ts';
import { shownPlace } from './shown-place.ts';

export interface Validation {
  readonly result: ValidatorResult;
  /** The last run, whatever it says by now. */
  readonly last: OperationRow | undefined;
}

/** So far back a verdict can lie behind the branch. */
const movesLooked = 50;
const saidChars = 300;

/** What is known of the validator of the present phase; undefined when it has none. */
export async function validationOf(
  db: Queryable,
  contract: ContractRow,
): Promise<Validation | undefined> {
  if (validatorOf(contract) === undefined) return undefined;
  const about = { ownerId: contract.ownerId, contractId: contract.id };
  const last = await lastValidation(db, { ...about, phase: contract.phase });
  return { last, result: last === undefined ? { state: 'not_run' } : await verdictOf(db, last) };
}

async function verdictOf(db: Queryable, run: OperationRow): Promise<ValidatorResult> {
  if (run.state === 'pending') return { state: 'running' };
  if (run.state === 'failed')
    return { state: 'failed', exitCode: null, said: wordsOf(run.error) ?? 'no reason given' };
  const result = zOperationResult.parse(run.result);
  if (result.kind !== 'evidence.check' || run.contractId === null) return { state: 'not_run' };
  const { commitSha: commit, exitCode, output, holds } = result;
  const about = { ownerId: run.ownerId, contractId: run.contractId };
  const place = await shownPlace(db, { ownerId: run.ownerId, id: run.contractId });
  const rows =
    place === undefined ? [] : await lastMovesAt(db, { ...about, place, limit: movesLooked });
  const moves = rows.map((row) => ({ ...row, from: row.fromSha, to: row.toSha }));
  const since = movesSince({ commit: commit ?? '', at: run.finishedAt }, moves);
  const seen = { kind: 'command', argv: [], commit: commit ?? '', exitCode: 0 } as const;
  if (leftBehind(seen, since) !== null) return { state: 'not_run' };
  return holds
    ? { state: 'passed' }
    : { state: 'failed', exitCode, said: output.trim().slice(-saidChars) };
}

/**
 * Run it when nothing else is missing and its verdict is due: it was not run at this commit, it runs where the
 * supervisor is no more, it failed before the contract's present version, or (`again`) it failed and whoever leads has seen that. Answers whether it
 * runs now. The caller holds the contract.
 */
export async function validateIfDue(
  a: Act,
  contract: ContractRow,
  gate: { readonly missing: readonly Missing[]; readonly validation: Validation | undefined },
  options: { readonly again: boolean },
): Promise<boolean> {
  const { missing, validation } = gate;
  if (validation === undefined || missing.some(({ kind }) => kind !== 'validator')) return false;
  const { result, last } = validation;
  switch (result.state) {
    case 'passed':
      return false;
    case 'running':
      return (await isElsewhere(a, contract, last)) ? run(a, contract) : true;
    case 'not_run':
      return run(a, contract);
    case 'failed': {
      const old = last?.request['version'] !== contract.version;
      const seen = last !== undefined && last.seenAt !== null;
      return old || (options.again && seen) ? run(a, contract) : false;
    }
  }
}

/** Whoever leads was told that it failed: when they ask again, it is run again. */
export async function validatorSeen(a: Act, validation: Validation | undefined): Promise<void> {
  if (validation?.result.state !== 'failed' || validation.last === undefined) return;
  await markOperationSeen(a.tx, { ownerId: a.ownerId, id: validation.last.id });
}

/** It was asked of a machine that the supervisor has left since, and that may never come back. */
async function isElsewhere(
  a: Act,
  { supervisorTaskId }: ContractRow,
  last: OperationRow | undefined,
): Promise<boolean> {
  if (supervisorTaskId === null || last === undefined) return false;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: supervisorTaskId });
  return task?.homeDaemonId != null && task.homeDaemonId !== last.daemonId;
}

/** False when no machine has the code, yet or any more. */
async function run(a: Act, contract: ContractRow): Promise<boolean> {
  const gate = validatorOf(contract);
  const command = gate?.validator;
  if (command === undefined || contract.supervisorTaskId === null) return false;
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [repository] = await repositoriesOf(a.tx, about);
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
  if (repository === undefined || task?.homeDaemonId == null || task.currentAttempt === 0)
    return false;
  const machine = await findDaemon(a.tx, { ownerId: a.ownerId, id: task.homeDaemonId });
  if (machine === undefined || machine.status === 'revoked') return false;
  const { phase, version } = contract;
  await order(a, {
    task,
    kind: 'evidence.check',
    asked: { purpose: 'validator', phase, version, command: [...command] },
    command: (operationId) => ({
      kind: 'evidence.check',
      operationId,
      repository: {
        url: repository.repositoryUrl,
        path: repository.localPath,
        baseBranch: repository.baseBranch,
      },
      branch: contractBranch(contract.slug),
      path: null,
      command: [...command],
      timeoutMs: (gate?.validatorTimeoutSeconds ?? validatorTimeoutSeconds) * 1_000,
    }),
  });
  return true;
}

function validatorOf(contract: ContractRow): PhaseDefinition['gate'] | undefined {
  const gate = findPhase(contract.contractType, contract.phase)?.gate;
  return gate?.validator === undefined ? undefined : gate;
}

/** The gate of this phase has a validator: what it says ends when the branch moves. */
export function hasValidator(contract: ContractRow): boolean {
  return validatorOf(contract) !== undefined;
}

/** A run of a validator, not evidence of a deliverable. */
export function isValidation(operation: OperationRow): boolean {
  return operation.kind === 'evidence.check' && operation.request['purpose'] === 'validator';
}
