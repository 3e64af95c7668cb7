/**
 * A person brings a contract's supervisor back (M3.5): where it was, at the start of its phase, or at a
 * checkpoint; on a machine of their choice, with words of their own.
 *
 * Law: refused only while an agent really runs. What its rows say of one that is gone is ended first, under
 * its fence; the contract goes on with its supervisor. A person's resume counts as a look: the count of
 * restorations that holds a supervisor back begins anew.
 */
import type { BodyOf, ResponseOf } from '@makima/contracts/http/endpoint';
import type { resumeSupervisor as endpoint } from '@makima/contracts/http/supervisor';
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import type { RestorationPlan } from '@makima/domain/restoration';
import { isResumeMode, planResume, resumeModes, type ResumeMode } from '@makima/domain/resume';
import { lastActivityOf } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { findSupervisor } from '@makima/db/repo/supervisors';
import { changeTask } from '@makima/db/repo/tasks';
import type { ContractRow, DaemonRow, SupervisorRow, TaskRow } from '@makima/db/rows';
import { lockedContract, requirePerson } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { moveContract, syncWaiting } from '../contract/move.ts';
import { resumeTasks } from '../contract/pause.ts';
import { withdraw } from '../contract/withdraw-questions.ts';
import type { Person } from '../principal.ts';
import { carryOut } from './carry-out.ts';
import { budgetWarnings, placeWarnings } from './resume-place.ts';
import { atRest, checkpointOf, lockedSupervisor, targetOf } from './resume-rest.ts';
import { restorationFacts, type RestorationFacts } from './restoration-facts.ts';
import { isBreaker } from './restore.ts';

export type ResumeInput = BodyOf<typeof endpoint> & { readonly id: string };
export type Resumed = ResponseOf<typeof endpoint>;

export function resumeSupervisor(
  engine: Engine,
  call: Call,
  input: ResumeInput,
): Promise<Acted<Resumed>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'resume supervisors');
    const mode = modeOf(input.resumeMode);
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    const seen = await lockedSupervisor(a, contract);
    const target = await targetOf(a, input.targetDaemonId);
    const checkpointSha =
      mode === 'from_checkpoint' ? await checkpointOf(a, seen, input.checkpointId) : null;
    const before = await conditionOf(a, seen);
    const task = await atRest(a, contract, seen);
    const active = await goesOn(a, person, contract);
    const facts = await factsFrom(a, active, task, checkpointSha);
    const plan = await planOf(a, facts, { mode, contract: active, task, target });
    const cause = `${person.name} resumed you (${mode.replaceAll('_', ' ')}).`;
    const { additionalContext } = input;
    const targetDaemonId = target?.id ?? null;
    const byPerson = { mode, cause, additionalContext, checkpointSha, targetDaemonId };
    const count =
      task.currentAttempt > 0
        ? await carryOut(a, { contract: active, task, facts, plan, byPerson })
        : await aimOnly(a, task, target);
    a.emit('supervisor.resumed', {
      contractId: contract.id,
      taskId: task.id,
      data: { mode, epoch: task.currentAttempt + 1, daemonId: targetDaemonId },
    });
    await othersGoOn(a, person, contract, active);
    return answerOf(a, { contract: active, task, facts, plan, target, before, count });
  });
}

function modeOf(mode: string): ResumeMode {
  if (isResumeMode(mode)) return mode;
  throw new MakimaError('INVALID_RESUME_MODE', `there is no resume mode "${mode}"`, {
    details: { modes: resumeModes },
    fix: `use one of: ${resumeModes.join(', ')}`,
  });
}

/** The facts, with the checkpoint that the person chose in place of the last one. */
async function factsFrom(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  checkpointSha: string | null,
): Promise<RestorationFacts> {
  const facts = await restorationFacts(a, contract, task);
  if (checkpointSha === null) return facts;
  return { ...facts, checkpoint: { commit: checkpointSha, exists: true } };
}

async function planOf(
  a: Act,
  facts: RestorationFacts,
  how: {
    readonly mode: ResumeMode;
    readonly contract: ContractRow;
    readonly task: TaskRow;
    readonly target: DaemonRow | undefined;
  },
): Promise<RestorationPlan> {
  const plan = planResume(facts, how.mode, a.now);
  if (plan.strategy === 'manual') {
    throw new MakimaError('MISSING_REPO_URL', 'the contract has no repository to work in', {
      fix: `add one: POST /api/v1/contracts/${how.contract.id}/repositories`,
    });
  }
  const place = await placeWarnings(a, how.task, how.target);
  return {
    ...plan,
    warnings: [...plan.warnings, ...place, ...budgetWarnings(how.contract, how.task)],
  };
}

interface Done {
  readonly contract: ContractRow;
  readonly task: TaskRow;
  readonly facts: RestorationFacts;
  readonly plan: RestorationPlan;
  readonly target: DaemonRow | undefined;
  readonly before: SupervisorRow;
  readonly count: number | undefined;
}

async function answerOf(a: Act, done: Done): Promise<Resumed> {
  const { contract, task, facts, plan, target, before } = done;
  const lastActivity = await lastActivityOf(a.tx, { contractId: contract.id });
  return {
    supervisorTaskId: task.id,
    daemonId: target?.id ?? plan.daemonPreference?.daemonId ?? null,
    resumedFrom: {
      phase: contract.phase,
      lastActivity: lastActivity.toISOString(),
      messageCount: facts.conversation.messageCount,
    },
    status: 'pending',
    restoration: {
      previousState: stateBefore(before),
      restorationCount: done.count ?? before.restorationCount,
      pendingQuestionsCount: plan.redeliver.length,
      waitingTasksCount: facts.awaitedTaskIds.length,
      spawnedTasksCount: facts.tasks.length,
      warnings: [...plan.warnings],
    },
  };
}

async function conditionOf(a: Act, task: TaskRow): Promise<SupervisorRow> {
  const row = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (row === undefined) throw new Error(`supervisor ${task.id} has no condition`);
  return row;
}

/** Before it went away: what an interruption or a first restoration wrote over it. */
function stateBefore({ state, previousState }: SupervisorRow): string {
  return state === 'interrupted' || state === 'initializing' ? (previousState ?? state) : state;
}

/** A contract that rests goes on, and nobody needs to decide about its supervisor any more. */
async function goesOn(a: Act, person: Person, contract: ContractRow): Promise<ContractRow> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  for (const question of open.filter(isBreaker))
    await withdraw(a, question, `${person.name} resumed the supervisor`);
  if (mayWork(contract.status)) return contract;
  const reason = `${person.name} resumed the supervisor`;
  return moveContract(a, contract, { to: 'active', reason });
}

/** Once its supervisor is pending: the tasks that rested with their contract. */
async function othersGoOn(
  a: Act,
  person: Person,
  before: ContractRow,
  active: ContractRow,
): Promise<void> {
  if (!mayWork(before.status))
    await resumeTasks(a, active, `${person.name} resumed the supervisor`);
  await syncWaiting(a, active);
}

/** It never ran: there is nothing to restore, only where it starts. */
async function aimOnly(a: Act, task: TaskRow, target: DaemonRow | undefined): Promise<undefined> {
  if (target === undefined) return undefined;
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['pending'],
    set: { targetDaemonId: target.id },
  });
  const fence = `aimed-${a.now.getTime().toString(36)}`;
  a.mail('spawn-task', { taskId: task.id }, { entityId: task.id, fence });
}
