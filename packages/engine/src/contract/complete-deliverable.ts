/**
 * Mark a deliverable as done (M1.4, M8.5) in two steps: what a machine can look at is asked of the
 * contract's daemon; when that is over, the deliverable is settled with what was found. Without anything to
 * look at it is settled at once.
 *
 * Law: it counts only if all its evidence holds; the same evidence twice changes nothing; what a person was
 * shown before is void when it changes.
 */
import type { BodyOf, ResponseOf } from '@makima/contracts/http/endpoint';
import type { completeDeliverable as endpoint } from '@makima/contracts/http/contracts';
import { canonicalEvidence, leftBehind, movesSince, type Evidence } from '@makima/domain/evidence';
import { checkDeliverable, deliverablesOf, findPhase } from '@makima/domain/contract-type';
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { lastMovesAt } from '@makima/db/repo/branch-moves';
import {
  deliverablesOfContract,
  deliverablesOfPhase,
  putDeliverable,
} from '@makima/db/repo/deliverables';
import { bumpContractVersion, touchContract } from '@makima/db/repo/contracts';
import { operationsByIds } from '@makima/db/repo/operations';
import type { ContractRow, DeliverableRow } from '@makima/db/rows';
import { lockedContract, requireLead } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { presentDeliverable } from '../present/contract.ts';
import { voidIfChanged } from './confirmation.ts';
import { askChecks, evidenceOf, isChecked, type Claim } from './evidence.ts';
import { measureProgress } from '../supervisor/measure-progress.ts';
import { contractNow } from './finish.ts';
import { gateOf } from './gate.ts';
import { shownPlace } from './shown-place.ts';

export type DeliverableInput = BodyOf<typeof endpoint> & {
  readonly id: string;
  readonly deliverableId: string;
};

export type DeliverableDone = { readonly state: 'done' } & ResponseOf<typeof endpoint>;

export type DeliverableOutcome =
  | DeliverableDone
  | { readonly state: 'checking'; readonly operationIds: string[] };

/** @throws INVALID_DELIVERABLE with `validIds`, VALIDATION_FAILED, NO_DAEMON. */
export function completeDeliverable(
  engine: Engine,
  call: Call,
  input: DeliverableInput,
): Promise<Acted<DeliverableOutcome>> {
  return act(engine, call, async (a): Promise<DeliverableOutcome> => {
    const claim = await claimOf(a, input);
    const plain = { ...claim, evidence: claim.evidence.filter((item) => !isChecked(item)) };
    const evidence = await evidenceOf(a, plain, []);
    const operationIds = await askChecks(a, claim);
    return operationIds.length > 0
      ? { state: 'checking', operationIds }
      : put(a, claim, { evidence, lookedAt: null });
  });
}

/** When the checks are over. @throws VALIDATION_FAILED, OPERATION_TIMED_OUT when one is not. */
export function settleDeliverable(
  engine: Engine,
  call: Call,
  input: DeliverableInput & { readonly operationIds: readonly string[] },
): Promise<Acted<DeliverableDone>> {
  return act(engine, call, async (a) => {
    const claim = await claimOf(a, input);
    const evidence = await evidenceOf(a, claim, input.operationIds);
    const about = { ownerId: a.ownerId, ids: input.operationIds };
    const looks = (await operationsByIds(a.tx, about)).flatMap(
      ({ finishedAt }) => finishedAt ?? [],
    );
    const lookedAt = looks.toSorted((one, other) => one.getTime() - other.getTime())[0] ?? null;
    return put(a, claim, { evidence, lookedAt });
  });
}

async function claimOf(a: Act, input: DeliverableInput): Promise<Claim> {
  const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
  await requireLead(a, contract.id, 'complete deliverables');
  if (!mayWork(contract.status)) {
    throw new MakimaError(
      'INVALID_TRANSITION',
      `a contract that is ${contract.status} takes no deliverables`,
      { details: { status: contract.status } },
    );
  }
  const phase = input.phase ?? contract.phase;
  const verdict = checkDeliverable(
    contract.contractType,
    phase,
    input.deliverableId,
    contract.extraDeliverables,
  );
  if (!verdict.ok) {
    await refuseWhatCounts(a, contract, input.deliverableId);
    throw unknownDeliverable(contract, phase, input.deliverableId, verdict.validIds);
  }
  return { contract, phase, deliverableId: input.deliverableId, evidence: input.evidence };
}

interface Shown {
  readonly evidence: readonly Evidence[];
  /** When the first of its checks was over; null when it has none. */
  readonly lookedAt: Date | null;
}

async function put(a: Act, claim: Claim, shown: Shown): Promise<DeliverableDone> {
  const evidence = [...shown.evidence];
  const about = { ownerId: a.ownerId, contractId: claim.contract.id, phase: claim.phase };
  const before = (await deliverablesOfPhase(a.tx, about)).find(
    (row) => row.deliverableId === claim.deliverableId,
  );
  const same = before !== undefined && textOf(before.evidence) === textOf(evidence);
  if (same && before.staleSince === null) return answer(a, claim, claim.contract, before);
  const row = await putDeliverable(a.tx, {
    ...about,
    deliverableId: claim.deliverableId,
    evidence,
    completedBy: a.caller.name,
    staleReason: await overtaken(a, claim.contract, shown),
  });
  const version = await bumpContractVersion(a.tx, { ownerId: a.ownerId, id: claim.contract.id });
  a.emit('deliverable.completed', {
    contractId: claim.contract.id,
    taskId: a.caller.kind === 'agent' ? a.caller.taskId : null,
    data: { deliverableId: claim.deliverableId, phase: claim.phase, version, evidence },
  });
  await touchContract(a.tx, { contractId: claim.contract.id, progress: 'yes' });
  const present = await contractNow(a, claim.contract.id);
  await measureProgress(a, present);
  await voidIfChanged(a, present);
  a.mail(
    'evaluate-contract',
    { contractId: claim.contract.id },
    { entityId: claim.contract.id, fence: `v${version}` },
  );
  return answer(a, claim, await contractNow(a, claim.contract.id), row);
}

async function answer(
  a: Act,
  claim: Claim,
  contract: ContractRow,
  row: DeliverableRow,
): Promise<DeliverableDone> {
  const verdict = checkDeliverable(
    contract.contractType,
    claim.phase,
    claim.deliverableId,
    contract.extraDeliverables,
  );
  if (!verdict.ok) throw new Error(`deliverable ${claim.deliverableId} is gone`);
  const { readiness } = await gateOf(a.tx, contract);
  return {
    state: 'done',
    deliverable: presentDeliverable(claim.phase, verdict.deliverable, [row]),
    ready: readiness.ready,
    version: contract.version,
  };
}

/** So far back a check can lie behind the branch that moved while it was made. */
const movesLooked = 50;

/** What the branch left behind while the evidence was looked at. The contract's lock is held: it moves no more. */
async function overtaken(
  a: Act,
  contract: ContractRow,
  { evidence, lookedAt: at }: Shown,
): Promise<string | null> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const place = await shownPlace(a.tx, contract);
  const rows =
    place === undefined ? [] : await lastMovesAt(a.tx, { ...about, place, limit: movesLooked });
  const moves = rows.map((row) => ({ ...row, from: row.fromSha, to: row.toSha }));
  const reasons = evidence.flatMap(
    (item) => leftBehind(item, movesSince({ commit: item.commit ?? '', at }, moves)) ?? [],
  );
  return reasons.length === 0 ? null : reasons.join('; ');
}

function textOf(evidence: readonly Evidence[]): string {
  return JSON.stringify(evidence.map((item) => JSON.stringify(canonicalEvidence(item))).toSorted());
}

/** An agent whose conversation lost its end hands in again what was taken: it is told so. */
async function refuseWhatCounts(a: Act, contract: ContractRow, id: string): Promise<void> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const row = (await deliverablesOfContract(a.tx, about)).find((one) => one.deliverableId === id);
  if (row === undefined) return;
  throw new MakimaError(
    'INVALID_DELIVERABLE',
    `${id} counts already, in ${row.phase}; the contract is in ${contract.phase}`,
    {
      details: {
        validIds: contractIds(contract),
        phase: contract.phase,
        completedIn: row.phase,
        completedAt: row.completedAt.toISOString(),
      },
      fix: `go on with ${contract.phase}, or renew its evidence with phase ${row.phase}`,
    },
  );
}

function contractIds({ contractType, phase, extraDeliverables }: ContractRow): string[] {
  return deliverablesOf(contractType, phase, extraDeliverables).map(({ id }) => id);
}

function unknownDeliverable(
  contract: ContractRow,
  phase: string,
  id: string,
  validIds: readonly string[],
): MakimaError {
  const { phases } = contract.contractType;
  if (findPhase(contract.contractType, phase) === undefined) {
    return new MakimaError('INVALID_DELIVERABLE', `this contract has no phase ${phase}`, {
      details: { validIds: [], validPhases: phases.map(({ name }) => name) },
    });
  }
  const valid = validIds.length === 0 ? 'it owes none' : `it owes ${validIds.join(', ')}`;
  return new MakimaError('INVALID_DELIVERABLE', `${id} is no deliverable of ${phase}: ${valid}`, {
    details: { validIds, phase },
    fix: `name one of: ${validIds.join(', ')}`,
  });
}
