/** Tools about the contract: deliverables, phases, status. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { endpoints } from '@makima/contracts/http/all';
import { changePhase } from '@makima/engine/contract/change-phase';
import { getContract } from '@makima/engine/contract/get';
import { requestCompletion } from '@makima/engine/contract/request-completion';
import { phaseReadiness } from '@makima/engine/contract/phase-readiness';
import { getTask } from '@makima/engine/task/get';
import type { Principal } from '@makima/engine/principal';
import type { Engine } from '@makima/engine/context';
import { holdForDeliverable } from '../holds/deliverable.ts';
import { completionProblem, phaseProblem } from '../routes/phase.ts';
import { contractIdOf, defineTool, goOn, pending } from './tool.ts';
import { decisionOf } from './waiting.ts';

const zEvidence = evidenceSchema();
/** How long this call waits for a person. */
const zHoldSeconds = z.int().min(0).max(86_400).optional();

export const deliverable = defineTool({
  name: 'makima_deliverable',
  title: 'Complete a deliverable',
  description:
    'Mark a deliverable of the present phase as done, with evidence that a machine looks at: a file in the contract’s branch, a command that must exit 0 there, or a merged task. Your word alone does not count. makima_status lists what is owed; `ready` tells that the phase may be left.',
  input: z.strictObject({
    deliverableId: z.string().min(1).max(100),
    phase: z.string().max(100).optional(),
    evidence: zEvidence,
    contractId: zId.optional(),
    operationIds: z
      .array(zId)
      .max(20)
      .optional()
      .describe('of an earlier call that was still pending'),
  }),
  output: z.object({
    ...pending,
    deliverableId: z.string(),
    completed: z.boolean(),
    ready: z.boolean(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ call, caller, input, hold }) => {
    const { contractId, operationIds, ...rest } = input;
    const request = { input: { ...rest, id: contractIdOf(caller, contractId) }, operationIds };
    const outcome = await holdForDeliverable(hold(), call, request);
    const { deliverableId } = input;
    if (outcome.state === 'done') {
      const { ready } = outcome.done;
      const note = ready
        ? 'The phase may be left: makima_advance.'
        : 'More is owed: see makima_status.';
      return { stillPending: false, deliverableId, completed: true, ready, note };
    }
    const args = { ...input, operationIds: outcome.operationIds };
    const note = 'The evidence is still being looked at. Call again as `next` says.';
    return {
      ...goOn('makima_deliverable', args, note),
      deliverableId,
      completed: false,
      ready: false,
    };
  },
});

/** As the endpoint takes it. */
function evidenceSchema() {
  const { body } = endpoints.completeDeliverable;
  if (body === undefined) throw new Error('completeDeliverable describes no body');
  return body.shape.evidence;
}

export const advance = defineTool({
  name: 'makima_advance',
  title: 'Leave the phase',
  description:
    'Go to the next phase when everything it owes is done. A guarded phase is left only with a person’s confirmation: the request is opened for you and this call waits for it. You cannot confirm it yourself. When refused, `response` says why: act on it, then call again.',
  input: z.strictObject({
    phase: z.string().min(1).max(100).describe('the phase to go to'),
    contractId: zId.optional(),
    questionId: zId.optional().describe('of an earlier call that was still pending'),
    timeoutSeconds: zHoldSeconds,
  }),
  output: z.object({
    ...pending,
    advanced: z.boolean(),
    phase: z.string(),
    response: z.string().nullable(),
    questionId: z.string().optional(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, caller, input, hold }) => {
    const id = contractIdOf(caller, input.contractId);
    let questionId = input.questionId;
    if (questionId === undefined) {
      const { result } = await changePhase(engine, call, { id, phase: input.phase });
      if (result.outcome === 'success') {
        return { stillPending: false, advanced: true, phase: result.phase, response: null };
      }
      if (result.outcome !== 'guard_required') {
        // A phase whose gate is met may be left by itself just before its agent says so.
        const { phase } = await getContract(engine, caller, { id });
        if (phase !== input.phase) throw phaseProblem(result);
        return { stillPending: false, advanced: true, phase, response: 'It is there already.' };
      }
      questionId = result.questionId;
    }
    const { value } = await decisionOf({ hold }, questionId, input.timeoutSeconds);
    if (value.status === 'open') {
      const args = {
        phase: input.phase,
        questionId,
        ...(input.contractId === undefined ? {} : { contractId: id }),
      };
      const note =
        'A person has to confirm this. Call again as `next` says, or end your turn: you are told when it is decided.';
      const { phase } = await getContract(engine, caller, { id });
      return {
        ...goOn('makima_advance', args, note),
        advanced: false,
        phase,
        response: null,
        questionId,
      };
    }
    const { phase } = await getContract(engine, caller, { id });
    return {
      stillPending: false,
      advanced: phase === input.phase,
      phase,
      response: value.response,
      questionId,
    };
  },
});

export const complete = defineTool({
  name: 'makima_complete',
  title: 'Say that the contract is complete',
  description:
    'In the last phase, when everything owed is done and no task is under way: the contract begins to complete, or a person is asked to confirm and this call waits for that. A refusal names what is missing. Makima also notices by itself.',
  input: z.strictObject({
    contractId: zId.optional(),
    questionId: zId.optional().describe('of an earlier call that was still pending'),
    timeoutSeconds: zHoldSeconds,
  }),
  output: z.object({
    ...pending,
    completed: z.boolean(),
    status: z.string(),
    response: z.string().nullable(),
    questionId: z.string().optional(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, caller, input, hold }) => {
    const id = contractIdOf(caller, input.contractId);
    let questionId = input.questionId;
    if (questionId === undefined) {
      const { result } = await requestCompletion(engine, call, { id });
      if (result.outcome === 'success') {
        return { stillPending: false, completed: true, status: result.status, response: null };
      }
      if (result.outcome !== 'guard_required') throw completionProblem(result);
      questionId = result.questionId;
    }
    const { value } = await decisionOf({ hold }, questionId, input.timeoutSeconds);
    const { status } = await getContract(engine, caller, { id });
    if (value.status === 'open') {
      const args = { questionId, ...(input.contractId === undefined ? {} : { contractId: id }) };
      const note =
        'A person has to confirm this. Call again as `next` says, or end your turn: you are told when it is decided.';
      return {
        ...goOn('makima_complete', args, note),
        completed: false,
        status,
        response: null,
        questionId,
      };
    }
    const completed = status === 'completing' || status === 'completed';
    return { stillPending: false, completed, status, response: value.response, questionId };
  },
});

const zStatus = z.object({
  kind: z.enum(['contract', 'task']),
  id: z.string(),
  name: z.string(),
  status: z.string(),
  phase: z.string().optional(),
  phases: z.array(z.string()).optional(),
  guardedPhases: z.array(z.string()).optional(),
  ready: z.boolean().optional(),
  missing: z.array(z.string()).optional(),
  deliverables: z
    .array(
      z.object({
        id: z.string(),
        phase: z.string(),
        required: z.boolean(),
        completed: z.boolean(),
        /** Was shown, but the branch moved past it: show it again. */
        stale: z.string().optional(),
      }),
    )
    .optional(),
  taskCounts: z.record(z.string(), z.int()).optional(),
  openQuestions: z.int().optional(),
  attempt: z.int().optional(),
  branch: z.string().nullable().optional(),
});

export const status = defineTool({
  name: 'makima_status',
  title: 'See where things stand',
  description:
    'For a supervisor: the phase of the contract, what it still owes, its tasks by status and open questions. For the agent of a task: its own task.',
  input: z.strictObject({ contractId: zId.optional() }),
  output: zStatus,
  agents: 'all',
  people: 'too',
  effect: 'reads',
  run: ({ engine, caller, input }) =>
    caller.kind === 'agent' && !caller.isSupervisor
      ? taskStatus(engine, caller, caller.taskId)
      : contractStatus(engine, caller, contractIdOf(caller, input.contractId)),
});

async function contractStatus(
  engine: Engine,
  caller: Principal,
  id: string,
): Promise<z.input<typeof zStatus>> {
  const [contract, readiness] = await Promise.all([
    getContract(engine, caller, { id }),
    phaseReadiness(engine, caller, { id }),
  ]);
  const { name, phase, phases, guardedPhases, taskCounts, openQuestions } = contract;
  return {
    kind: 'contract',
    id,
    name,
    status: contract.status,
    phase,
    phases,
    guardedPhases,
    ready: readiness.ready,
    missing: readiness.missing.map((item) => item.reason),
    deliverables: contract.deliverables.map((d) => ({
      id: d.id,
      phase: d.phase,
      required: d.required,
      completed: d.completed && !d.stale,
      ...(d.staleReason === null ? {} : { stale: d.staleReason }),
    })),
    taskCounts,
    openQuestions,
  };
}

async function taskStatus(
  engine: Engine,
  caller: Principal,
  id: string,
): Promise<z.input<typeof zStatus>> {
  const task = await getTask(engine, caller, { id });
  return {
    kind: 'task',
    id,
    name: task.name,
    status: task.status,
    attempt: task.attempt,
    branch: task.branch,
  };
}
