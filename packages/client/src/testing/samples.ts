/**
 * Complete entities for tests: every field of the wire filled with a plausible value, any of them replaced.
 *
 * Law: what these make passes the wire's own schemas; times and ids are fixed by the caller or counted.
 */
import { nothingSpent } from '@makima/domain/usage';
import type { Contract, ContractDetail } from '@makima/contracts/entity/contract';
import type { Directive, Order } from '@makima/contracts/entity/directive';
import type { Event, EventType } from '@makima/contracts/entity/event';
import type { Question } from '@makima/contracts/entity/question';
import type { Task } from '@makima/contracts/entity/task';
import type { Delivery, Webhook } from '@makima/contracts/entity/webhook';

const bornAt = '2026-03-01T10:00:00.000Z';

const heads = {
  contract: 'c0a1',
  task: 'a5b2',
  question: '9ee3',
  directive: 'd1c5',
  order: '03d6',
  other: '0dd4',
} as const;

/** The n-th id of its kind; those of one kind share their first eight digits. */
export function sampleId(kind: keyof typeof heads, n: number): string {
  const head = heads[kind];
  return `0199${head}-${String(n).padStart(4, '0')}-7000-8000-${String(n).padStart(12, '0')}`;
}

export function sampleContract(n: number, changes: Partial<Contract> = {}): Contract {
  return {
    id: sampleId('contract', n),
    slug: `contract-${n}`,
    name: `Contract ${n}`,
    description: 'make the failing test pass',
    contractType: 'simple',
    status: 'active',
    phase: 'plan',
    phases: ['plan', 'execute'],
    guardedPhases: ['plan'],
    version: 3,
    attention: 'running',
    waitingFor: null,
    blockedReason: null,
    failureReason: null,
    localOnly: false,
    autoMergeLocal: false,
    allowPullRequests: false,
    permissionMode: 'bypass',
    autoCompleteEnabled: true,
    priority: 0,
    parkAfterSeconds: null,
    onLimit: 'resume',
    limitedUntil: null,
    supervisorTaskId: sampleId('task', 1),
    taskCounts: { running: 1, done: 2 },
    openQuestions: 0,
    usage: nothingSpent,
    budget: null,
    statusChangedAt: bornAt,
    completionDetectedAt: null,
    lastActivityAt: bornAt,
    createdAt: bornAt,
    ...changes,
  };
}

export function sampleDetail(n: number, changes: Partial<ContractDetail> = {}): ContractDetail {
  return {
    ...sampleContract(n),
    repositories: [
      {
        id: sampleId('other', 1),
        name: 'shop',
        repositoryUrl: null,
        localPath: '/srv/shop',
        baseBranch: 'main',
        isPrimary: true,
        trusted: false,
        trustedBy: null,
        trustedAt: null,
      },
    ],
    deliverables: [
      {
        id: 'plan-document',
        name: 'Plan document',
        phase: 'plan',
        required: true,
        completed: true,
        completedAt: bornAt,
        stale: false,
        staleSince: null,
        staleReason: null,
        evidence: [],
      },
    ],
    keptRefs: [],
    delivery: null,
    ...changes,
  };
}

export function sampleTask(n: number, changes: Partial<Task> = {}): Task {
  return {
    id: sampleId('task', n),
    contractId: sampleId('contract', 1),
    directiveId: null,
    parentTaskId: null,
    depth: 0,
    name: `task ${n}`,
    description: null,
    plan: 'write it',
    status: 'running',
    session: 'live',
    resumeAt: null,
    onLimit: 'resume',
    isSupervisor: n === 1,
    agent: 'scripted',
    model: null,
    priority: 0,
    attempt: 1,
    retryCount: 0,
    version: 1,
    daemonId: sampleId('other', 2),
    repositoryUrl: null,
    baseBranch: 'main',
    targetBranch: null,
    branch: null,
    checkpointSha: null,
    targetRepoPath: null,
    completionAction: null,
    permissionMode: 'bypass',
    needs: [],
    outputSummary: null,
    errorMessage: null,
    commitSha: null,
    worktreePath: null,
    usage: nothingSpent,
    budget: null,
    pendingSince: null,
    createdAt: bornAt,
    startedAt: bornAt,
    finishedAt: null,
    ...changes,
  };
}

export function sampleQuestion(n: number, changes: Partial<Question> = {}): Question {
  return {
    id: sampleId('question', n),
    contractId: sampleId('contract', 1),
    contractSlug: 'contract-1',
    directiveId: null,
    taskId: sampleId('task', 1),
    question: 'Which provider should the redirect use?',
    context: null,
    choices: ['Google', 'GitHub'],
    multiSelect: false,
    phaseguard: false,
    nonBlocking: false,
    questionType: 'general',
    status: 'open',
    response: null,
    answeredBy: null,
    answeredAt: null,
    askedAt: bornAt,
    askedBy: 'fix-login-redirect (supervisor)',
    isRestored: false,
    tool: null,
    default: null,
    confirmation: null,
    ...changes,
  };
}

export function sampleDirective(n: number, changes: Partial<Directive> = {}): Directive {
  return {
    id: sampleId('directive', n),
    title: `directive ${n}`,
    goal: 'no dead code',
    status: 'active',
    reconcileMode: 'auto',
    repositoryUrl: null,
    localPath: '/srv/shop',
    baseBranch: null,
    agent: 'scripted',
    model: null,
    version: 1,
    openOrders: 0,
    openTasks: 1,
    createdAt: bornAt,
    updatedAt: bornAt,
    ...changes,
  };
}

export function sampleOrder(n: number, changes: Partial<Order> = {}): Order {
  return {
    id: sampleId('order', n),
    directiveId: sampleId('directive', 1),
    createdByTaskId: sampleId('task', 1),
    title: `order ${n}`,
    description: null,
    priority: 'medium',
    status: 'open',
    orderType: 'chore',
    labels: [],
    repositoryUrl: '/srv/shop',
    contractId: null,
    decidedBy: null,
    decidedAt: null,
    dismissedReason: null,
    createdAt: bornAt,
    ...changes,
  };
}

/** The n-th event: its id is `event-n`, its place in the contract n. */
export function sampleEvent(
  n: number,
  type: EventType = 'task.spawned',
  changes: Partial<Event> = {},
): Event {
  return {
    id: `event-${n}`,
    contractId: sampleId('contract', 1),
    seq: n,
    type,
    actor: { kind: 'system', id: null, name: 'makima' },
    taskId: null,
    data: {},
    time: bornAt,
    v: 1,
    ...changes,
  };
}

export function sampleWebhook(n: number, changes: Partial<Webhook> = {}): Webhook {
  return {
    id: sampleId('other', n),
    kind: 'webhook',
    name: `hook-${n}`,
    url: 'https://hooks.example.com/makima',
    topic: null,
    eventTypes: ['question.asked', 'contract.failed'],
    contractIds: [],
    status: 'active',
    statusReason: null,
    statusChangedAt: bornAt,
    failures: 0,
    failingSince: null,
    pausedUntil: null,
    lastDeliveredAt: null,
    pending: 0,
    secrets: [{ createdAt: bornAt, expiresAt: null }],
    version: 1,
    createdAt: bornAt,
    ...changes,
  };
}

export function sampleDelivery(n: number, changes: Partial<Delivery> = {}): Delivery {
  return {
    id: sampleId('other', 100 + n),
    webhookId: sampleId('other', 1),
    messageId: `msg_${n}`,
    eventId: String(n),
    eventType: 'question.asked',
    contractId: null,
    state: 'delivered',
    tries: 1,
    attempts: 1,
    nextTryAt: null,
    createdAt: bornAt,
    finishedAt: bornAt,
    lastStatus: 200,
    lastError: null,
    lastDurationMs: 12,
    ...changes,
  };
}
