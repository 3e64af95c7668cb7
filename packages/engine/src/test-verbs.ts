/**
 * Every verb that a door may call for a credential, with an input that is right for a scene: tests walk this
 * list, so that a new verb is covered by one line.
 *
 * Law: who may call it is not said here: the policy of its endpoint says it.
 */
import { zAcceptInput, zDirectiveInput } from '@makima/contracts/entity/directive';
import { zAskInput } from '@makima/contracts/entity/question';
import type { EndpointId } from '@makima/contracts/http/all';
import { changePhase } from './contract/change-phase.ts';
import { changeStatus } from './contract/change-status.ts';
import { checkCompletion } from './contract/check-completion.ts';
import { completeDeliverable } from './contract/complete-deliverable.ts';
import { createContract } from './contract/create.ts';
import { readDashboard } from './contract/dashboard.ts';
import { getContract } from './contract/get.ts';
import { listContracts } from './contract/list.ts';
import { patchContract } from './contract/patch.ts';
import { phaseReadiness } from './contract/phase-readiness.ts';
import { deleteContract } from './contract/remove.ts';
import { addRepository, listRepositories, removeRepository } from './contract/repositories.ts';
import { requestCompletion } from './contract/request-completion.ts';
import { setAutoComplete } from './contract/set-auto-complete.ts';
import { startContract } from './contract/start.ts';
import { trustRepository } from './contract/trust.ts';
import { supervisorStatus } from './supervisor/status.ts';
import { whyContract } from './contract/why.ts';
import { createDirective } from './directive/create.ts';
import { getDirective, listDirectives } from './directive/get.ts';
import { patchDirective } from './directive/patch.ts';
import { startDirectiveTask } from './directive/start-task.ts';
import { listEvents } from './event/list.ts';
import { readMonitor } from './event/monitor.ts';
import { createKey } from './identity/create-key.ts';
import { listDaemons, revokeDaemon } from './identity/daemons.ts';
import { createEnrolment } from './identity/enrol.ts';
import { listKeys } from './identity/list-keys.ts';
import { offerMonitorTicket } from './identity/monitor-ticket.ts';
import { revokeKey } from './identity/revoke-key.ts';
import { readReceipt } from './message/receipt.ts';
import { requestPullRequest } from './operation/pull-request.ts';
import { listCheckpoints, readOperation } from './operation/read.ts';
import { requestBranch } from './operation/branch.ts';
import { requestMerge } from './operation/merge.ts';
import { requestCheckpoint, requestDiff } from './operation/request.ts';
import { acceptOrder } from './order/accept.ts';
import { dismissOrder } from './order/dismiss.ts';
import { listOrders } from './order/list.ts';
import { placeOrder } from './order/place.ts';
import { answerQuestion } from './question/answer.ts';
import { holdDefault } from './question/default.ts';
import { askQuestion } from './question/ask.ts';
import { getQuestion, listQuestions, readAnswer } from './question/get.ts';
import { inbox } from './question/inbox.ts';
import { supervisorHeartbeats } from './supervisor/heartbeats.ts';
import { syncSupervisor } from './supervisor/sync.ts';
import { resumeSupervisor } from './supervisor/resume.ts';
import { cancelTask } from './task/cancel.ts';
import { contractTree, getTask, listContractTasks } from './task/get.ts';
import { messageTask } from './task/message.ts';
import { listConversation, listTaskOutput } from './task/output.ts';
import { retryTask } from './task/retry.ts';
import { spawnTask } from './task/spawn.ts';
import { whyTask } from './task/why.ts';
import { contractInput } from './test-engine.ts';
import { orderInput, spawnInput } from './test-stage.ts';
import type { Verb, VerbLine } from './test-verb.ts';
import { cycleVerbs } from './test-verbs-cycle.ts';
import { webhookVerbs } from './test-verbs-webhooks.ts';
import { beginWait } from './wait/begin.ts';

const page = { limit: 10 };
const list: readonly VerbLine[] = [
  ['createContract', 'writes', null, (e, c) => createContract(e, c, contractInput())],
  ['listContracts', 'reads', null, (e, c) => listContracts(e, c.caller, page)],
  [
    'getContract',
    'reads',
    'contractId',
    (e, c, i) => getContract(e, c.caller, { id: i.contractId }),
  ],
  [
    'patchContract',
    'writes',
    'contractId',
    (e, c, i) => patchContract(e, c, { id: i.contractId, name: 'Other' }),
  ],
  [
    'deleteContract',
    'writes',
    'contractId',
    (e, c, i) => deleteContract(e, c, { id: i.contractId, confirm: true }),
  ],
  [
    'listRepositories',
    'reads',
    'contractId',
    (e, c, i) => listRepositories(e, c.caller, { id: i.contractId }),
  ],
  [
    'addRepository',
    'writes',
    'contractId',
    (e, c, i) => addRepository(e, c, { id: i.contractId, localPath: '/srv/more' }),
  ],
  [
    'removeRepository',
    'writes',
    'contractId',
    (e, c, i) => removeRepository(e, c, { id: i.contractId, repositoryId: i.repositoryId }),
  ],
  [
    'trustRepository',
    'writes',
    'contractId',
    (e, c, i) =>
      trustRepository(e, c, { id: i.contractId, repositoryId: i.repositoryId, trusted: true }),
  ],
  ['startContract', 'writes', 'contractId', (e, c, i) => startContract(e, c, { id: i.contractId })],
  [
    'changePhase',
    'writes',
    'contractId',
    (e, c, i) => changePhase(e, c, { id: i.contractId, phase: 'execute' }),
  ],
  [
    'completeContract',
    'writes',
    'contractId',
    (e, c, i) => requestCompletion(e, c, { id: i.contractId }),
  ],
  [
    'completeDeliverable',
    'writes',
    'contractId',
    (e, c, i) =>
      completeDeliverable(e, c, { id: i.contractId, deliverableId: 'plan-document', evidence: [] }),
  ],
  [
    'changeStatus',
    'writes',
    'contractId',
    (e, c, i) => changeStatus(e, c, { id: i.contractId, targetStatus: 'paused' }),
  ],
  [
    'phaseReadiness',
    'reads',
    'contractId',
    (e, c, i) => phaseReadiness(e, c.caller, { id: i.contractId }),
  ],
  [
    'checkCompletion',
    'reads',
    'contractId',
    (e, c, i) => checkCompletion(e, c.caller, { id: i.contractId }),
  ],
  [
    'setAutoComplete',
    'writes',
    'contractId',
    (e, c, i) => setAutoComplete(e, c, { id: i.contractId, enabled: false }),
  ],
  [
    'whyContract',
    'reads',
    'contractId',
    (e, c, i) => whyContract(e, c.caller, { id: i.contractId }),
  ],
  [
    'supervisorStatus',
    'reads',
    'contractId',
    (e, c, i) => supervisorStatus(e, c.caller, { id: i.contractId }),
  ],
  [
    'supervisorHeartbeats',
    'reads',
    'contractId',
    (e, c, i) => supervisorHeartbeats(e, c.caller, { id: i.contractId, limit: 10 }),
  ],
  [
    'syncSupervisor',
    'writes',
    'contractId',
    (e, c, i) => syncSupervisor(e, c, { id: i.contractId }),
  ],
  [
    'resumeSupervisor',
    'writes',
    'contractId',
    (e, c, i) => resumeSupervisor(e, c, { id: i.contractId, resumeMode: 'continue' }),
  ],
  ['spawnTask', 'writes', 'contractId', (e, c, i) => spawnTask(e, c, spawnInput(i.contractId))],
  [
    'listContractTasks',
    'reads',
    'contractId',
    (e, c, i) => listContractTasks(e, c.caller, { id: i.contractId }),
  ],
  [
    'contractTree',
    'reads',
    'contractId',
    (e, c, i) => contractTree(e, c.caller, { id: i.contractId }),
  ],
  ['getTask', 'reads', 'taskId', (e, c, i) => getTask(e, c.caller, { id: i.taskId })],
  [
    'waitForTask',
    'writes',
    'runningTaskId',
    (e, c, i) => beginWait(e, c, { taskIds: [i.runningTaskId], mode: 'all' }),
  ],
  [
    'waitForTasks',
    'writes',
    'taskId',
    (e, c, i) => beginWait(e, c, { taskIds: [i.runningTaskId, i.taskId], mode: 'any' }),
  ],
  [
    'createCheckpoint',
    'writes',
    'runningTaskId',
    (e, c, i) => requestCheckpoint(e, c, { id: i.runningTaskId, message: 'so far' }),
  ],
  [
    'listCheckpoints',
    'reads',
    'taskId',
    (e, c, i) => listCheckpoints(e, c.caller, { id: i.taskId }),
  ],
  [
    'mergeTask',
    'writes',
    'taskId',
    (e, c, i) => requestMerge(e, c, { id: i.taskId, squash: false }),
  ],
  [
    'createPullRequest',
    'writes',
    'contractId',
    (e, c, i) =>
      requestPullRequest(e, c, { contractId: i.contractId, branch: 'try-two', title: 'Try two' }),
  ],
  [
    'createBranch',
    'writes',
    'contractId',
    (e, c, i) => requestBranch(e, c, { contractId: i.contractId, branchName: 'try-two' }),
  ],
  ['diffTask', 'writes', 'taskId', (e, c, i) => requestDiff(e, c, { id: i.taskId })],
  [
    'getOperation',
    'reads',
    'operationId',
    (e, c, i) => readOperation(e, c.caller, { id: i.operationId }),
  ],
  [
    'messageTask',
    'writes',
    'runningTaskId',
    (e, c, i) => messageTask(e, c, { id: i.runningTaskId, message: 'Hello', mode: 'queue' }),
  ],
  ['getMessage', 'reads', 'messageId', (e, c, i) => readReceipt(e, c.caller, { id: i.messageId })],
  ['cancelTask', 'writes', 'runningTaskId', (e, c, i) => cancelTask(e, c, { id: i.runningTaskId })],
  ['retryTask', 'writes', 'pausedTaskId', (e, c, i) => retryTask(e, c, { id: i.pausedTaskId })],
  [
    'listTaskOutput',
    'reads',
    'taskId',
    (e, c, i) => listTaskOutput(e, c.caller, { id: i.taskId, ...page }),
  ],
  [
    'listConversation',
    'reads',
    'taskId',
    (e, c, i) => listConversation(e, c.caller, { id: i.taskId, ...page }),
  ],
  ['whyTask', 'reads', 'taskId', (e, c, i) => whyTask(e, c.caller, { id: i.taskId })],
  [
    'askQuestion',
    'writes',
    null,
    (e, c) => askQuestion(e, c, zAskInput.parse({ question: 'Which?' })),
  ],
  [
    'pollQuestion',
    'reads',
    'questionId',
    (e, c, i) => readAnswer(e, c.caller, { questionId: i.questionId }),
  ],
  [
    'listQuestions',
    'reads',
    null,
    (e, c) => listQuestions(e, c.caller, { status: 'open', ...page }),
  ],
  [
    'getQuestion',
    'reads',
    'questionId',
    (e, c, i) => getQuestion(e, c.caller, { id: i.questionId }),
  ],
  [
    'answerQuestion',
    'writes',
    'questionId',
    (e, c, i) => answerQuestion(e, c, { id: i.questionId, response: 'this' }),
  ],
  ['holdDefault', 'writes', 'questionId', (e, c, i) => holdDefault(e, c, { id: i.questionId })],
  ['inbox', 'reads', null, (e, c) => inbox(e, c.caller)],
  [
    'createDirective',
    'writes',
    null,
    (e, c) =>
      createDirective(
        e,
        c,
        zDirectiveInput.parse({ title: 'T', goal: 'G', localPath: '/srv/more', agent: 'scripted' }),
      ),
  ],
  ['listDirectives', 'reads', null, (e, c) => listDirectives(e, c.caller, page)],
  [
    'getDirective',
    'reads',
    'directiveId',
    (e, c, i) => getDirective(e, c.caller, { id: i.directiveId }),
  ],
  [
    'patchDirective',
    'writes',
    'directiveId',
    (e, c, i) => patchDirective(e, c, { id: i.directiveId, reconcileMode: 'manual' }),
  ],
  [
    'startDirectiveTask',
    'writes',
    'directiveId',
    (e, c, i) => startDirectiveTask(e, c, { id: i.directiveId }),
  ],
  ['placeOrder', 'writes', null, (e, c) => placeOrder(e, c, orderInput())],
  ['listOrders', 'reads', null, (e, c) => listOrders(e, c.caller, page)],
  [
    'acceptOrder',
    'writes',
    'orderId',
    (e, c, i) => acceptOrder(e, c, { ...zAcceptInput.parse({}), id: i.orderId }),
  ],
  [
    'dismissOrder',
    'writes',
    'orderId',
    (e, c, i) => dismissOrder(e, c, { id: i.orderId, reason: 'not now' }),
  ],
  ['listDaemons', 'reads', null, (e, c) => listDaemons(e, c.caller)],
  ['createEnrolment', 'writes', null, (e, c) => createEnrolment(e, c, { expiresInSeconds: 60 })],
  ['revokeDaemon', 'writes', 'daemonId', (e, c, i) => revokeDaemon(e, c, { id: i.daemonId })],
  ['createKey', 'writes', null, (e, c) => createKey(e, c, { name: 'ci', scopes: ['read'] })],
  ['listKeys', 'reads', null, (e, c) => listKeys(e, c.caller)],
  ['revokeKey', 'writes', 'keyId', (e, c, i) => revokeKey(e, c, { id: i.keyId })],
  ...cycleVerbs,
  ...webhookVerbs,
  ['monitorContracts', 'reads', null, (e, c) => readMonitor(e, c.caller, fromNow)],
  ['createMonitorTicket', 'reads', null, (e, c) => offerMonitorTicket(e, c.caller)],
  ['contractsDashboard', 'reads', null, (e, c) => readDashboard(e, c.caller)],
  ['listEvents', 'reads', null, (e, c) => listEvents(e, c.caller, page)],
];

const fromNow = { after: 'now', limit: 10 };

export const verbs: readonly Verb[] = list.map(([name, does, about, run]) => ({
  name,
  does,
  about,
  run,
}));

/** Endpoints without a verb of their own: the door answers them, or they are no one's. */
export const doorsOnly: readonly EndpointId[] = [
  'readTaskFile',
  'enrolDaemon',
  'whoAmI',
  'livez',
  'readyz',
];
