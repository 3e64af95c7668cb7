/**
 * Evidence of a deliverable: what a machine must look at is asked of the contract's daemon, the rest is read
 * from rows. The answer is the domain's evidence, each piece with the commit that it speaks of.
 *
 * Law: only a check that was asked for this deliverable, with this path or command, is taken for it.
 */
import type { BodyOf } from '@makima/contracts/http/endpoint';
import type { completeDeliverable as endpoint } from '@makima/contracts/http/contracts';
import { zOperationResult } from '@makima/contracts/socket/reports';
import type { Evidence } from '@makima/domain/evidence';
import { MakimaError } from '@makima/domain/error';
import { repositoriesOf } from '@makima/db/repo/contracts';
import { findOperation, operationsOf } from '@makima/db/repo/operations';
import { tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, OperationRow } from '@makima/db/rows';
import { notFound } from '../authorize.ts';
import type { Act } from '../context.ts';
import { contractBranch } from '@makima/domain/branch';
import { wordsOf } from '../operation/words.ts';
import { order } from '../operation/order.ts';

export type EvidenceInput = BodyOf<typeof endpoint>['evidence'][number];

/** The deliverable that the evidence is for. */
export interface Claim {
  readonly contract: ContractRow;
  readonly phase: string;
  readonly deliverableId: string;
  readonly evidence: readonly EvidenceInput[];
}

type Checked = Extract<EvidenceInput, { kind: 'file' | 'command' }>;
type Found = { readonly ok: Evidence } | { readonly no: string; readonly facts?: object };

const fileTimeoutMs = 30_000;
const tailChars = 4_000;

export function isChecked(evidence: EvidenceInput): evidence is Checked {
  return evidence.kind === 'file' || evidence.kind === 'command';
}

/** One operation for each file and command, at the head of the contract's branch. */
export async function askChecks(a: Act, claim: Claim): Promise<string[]> {
  const checks = claim.evidence.filter(isChecked);
  if (checks.length === 0) return [];
  const { contract } = claim;
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [repository] = await repositoriesOf(a.tx, about);
  const ids = contract.supervisorTaskId === null ? [] : [contract.supervisorTaskId];
  const [supervisor] = await tasksByIds(a.tx, { ownerId: a.ownerId, ids });
  if (repository === undefined || supervisor === undefined) {
    throw new MakimaError('NO_DAEMON', 'no machine has the code of this contract yet', {
      retryable: true,
      fix: 'start the contract, and wait until its supervisor runs',
    });
  }
  const asked: string[] = [];
  for (const check of checks) {
    const operation = await order(a, {
      task: supervisor,
      kind: 'evidence.check',
      asked: askedOf(claim, check),
      command: (id) => ({
        kind: 'evidence.check',
        operationId: id,
        repository: {
          url: repository.repositoryUrl,
          path: repository.localPath,
          baseBranch: repository.baseBranch,
        },
        branch: contractBranch(contract.slug),
        path: check.kind === 'file' ? check.path : null,
        command: check.kind === 'command' ? check.command : null,
        timeoutMs: check.kind === 'command' ? check.timeoutSeconds * 1_000 : fileTimeoutMs,
      }),
    });
    asked.push(operation.id);
  }
  return asked;
}

/**
 * @throws VALIDATION_FAILED naming every piece that does not hold, with the end of a command's output;
 * OPERATION_TIMED_OUT when a check is not over.
 */
export async function evidenceOf(
  a: Act,
  claim: Claim,
  operationIds: readonly string[],
): Promise<Evidence[]> {
  const operations = await checksOf(a, claim, operationIds);
  const found: Found[] = [];
  for (const evidence of claim.evidence) found.push(await lookAt(a, claim, evidence, operations));
  const failed = found.flatMap((item, i) => ('no' in item ? [{ ...item, i }] : []));
  if (failed.length === 0) return found.flatMap((item) => ('ok' in item ? [item.ok] : []));
  throw new MakimaError(
    'VALIDATION_FAILED',
    `the evidence for ${claim.deliverableId} does not hold: ${failed[0]?.no ?? ''}`,
    {
      details: {
        errors: failed.map(({ i, no }) => ({ pointer: `/evidence/${i}`, detail: no })),
        failed: failed.map(({ i, no, facts }) => ({ index: i, reason: no, ...facts })),
      },
      fix: 'correct the work, bring it into the contract’s branch (makima_merge of the task that has it, your own too), then show it again',
    },
  );
}

async function lookAt(
  a: Act,
  claim: Claim,
  evidence: EvidenceInput,
  operations: readonly OperationRow[],
): Promise<Found> {
  switch (evidence.kind) {
    case 'file':
    case 'command':
      return checked(claim, evidence, operations);
    case 'merged':
      return merged(a, claim.contract, evidence.taskId);
    case 'word':
      return a.caller.kind === 'person'
        ? { ok: { kind: 'person', personId: a.caller.userId, statement: evidence.text } }
        : { no: 'a word counts only from a person: show a file, a command or merged work' };
  }
}

function checked(claim: Claim, evidence: Checked, operations: readonly OperationRow[]): Found {
  const wanted = JSON.stringify(askedOf(claim, evidence));
  const operation = operations.find(({ request: asked }) => wanted === sameOrder(asked));
  const what = evidence.kind === 'file' ? evidence.path : `\`${evidence.command.join(' ')}\``;
  if (operation === undefined) return { no: `${what} was not checked` };
  if (operation.state === 'failed') {
    return { no: `${what} could not be checked: ${wordsOf(operation.error) ?? 'no reason given'}` };
  }
  const result = zOperationResult.parse(operation.result);
  if (result.kind !== 'evidence.check') return { no: `${what} was not checked` };
  const { commitSha: commit, exitCode, output } = result;
  const facts = { operationId: operation.id, commit, exitCode, output: output.slice(-tailChars) };
  if (commit === null) return { no: 'the contract’s branch has no commit yet', facts };
  if (!result.holds) {
    const ended = exitCode === null ? 'did not succeed' : `exited with ${exitCode}`;
    const no = evidence.kind === 'file' ? `there is no file ${what}` : `${what} ${ended}`;
    return { no, facts };
  }
  return evidence.kind === 'file'
    ? { ok: { kind: 'file', path: evidence.path, commit } }
    : { ok: { kind: 'command', argv: evidence.command, commit, exitCode: exitCode ?? 0 } };
}

/** `commit` is what was merged, or where the merge stands when the task made no commit of its own. */
async function merged(a: Act, contract: ContractRow, taskId: string): Promise<Found> {
  const [task] = await tasksByIds(a.tx, { ownerId: a.ownerId, ids: [taskId] });
  if (task === undefined || task.contractId !== contract.id) throw notFound('task', taskId);
  if (task.status !== 'merged') {
    return { no: `task ${task.name} is ${task.status}, not merged`, facts: { taskId } };
  }
  const merges = await operationsOf(a.tx, { contractId: contract.id, kind: 'branch.merge' });
  const done = merges.findLast((row) => row.taskId === taskId && row.state === 'done');
  const where = done?.result?.['commitSha'];
  const commit = task.commitSha ?? (typeof where === 'string' ? where : '');
  return { ok: { kind: 'merge', branch: task.branch ?? task.name, commit } };
}

async function checksOf(
  a: Act,
  claim: Claim,
  operationIds: readonly string[],
): Promise<OperationRow[]> {
  const rows: OperationRow[] = [];
  for (const id of operationIds) {
    const row = await findOperation(a.tx, { ownerId: a.ownerId, id });
    if (row === undefined || row.contractId !== claim.contract.id || row.kind !== 'evidence.check')
      throw notFound('operation', id);
    if (row.state === 'pending') {
      throw new MakimaError('OPERATION_TIMED_OUT', 'the evidence is still being looked at', {
        retryable: true,
        details: { operationIds },
        fix: 'ask again a little later',
      });
    }
    rows.push(row);
  }
  return rows;
}

function askedOf({ phase, deliverableId }: Claim, check: Checked): Record<string, unknown> {
  return check.kind === 'file'
    ? { phase, deliverableId, path: check.path, command: null }
    : { phase, deliverableId, path: null, command: check.command };
}

/** jsonb keeps no order of keys. */
function sameOrder(asked: Record<string, unknown>): string {
  const { phase, deliverableId, path, command } = asked;
  return JSON.stringify({ phase, deliverableId, path, command });
}
