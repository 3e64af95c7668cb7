/**
 * Why does this task not move? Judged from its row, its lease, its daemon and what the placement rule said.
 *
 * Law: total over every status; a task that moves has no blocker but what its agent asked of a person.
 */
import { type ContractStatus, mayWork } from './contract.ts';
import { type Lease, leaseVerdict } from './lease.ts';
import type { UnplacedReason } from './placement.ts';
import { type NeedsVerdict, type TaskSession, type TaskStatus } from './task.ts';
import {
  type Blocker,
  type OpenQuestion,
  type UsedUp,
  type Why,
  blocker,
  budgetBlocker,
  idleBlocker,
  offlineBlocker,
  placementBlocker,
  questionBlocker,
} from './why-blocker.ts';

export interface WhyTaskFacts {
  readonly id: string;
  readonly name: string;
  readonly contractId: string;
  readonly contractStatus: ContractStatus;
  readonly status: TaskStatus;
  readonly statusSince: Date;
  readonly session: TaskSession;
  readonly errorMessage: string | null;
  readonly needs: NeedsVerdict;
  /** What the placement rule says of it now; null when it has a place or was not asked yet. */
  readonly unplaced: UnplacedReason | null;
  /** When a usage limit ends; only for a limited session. */
  readonly resumeAt: Date | null;
  readonly lease: Lease | null;
  readonly daemon: {
    readonly name: string;
    readonly connected: boolean;
    readonly lastSeenAt: Date | null;
  } | null;
  readonly openQuestions: readonly OpenQuestion[];
  /** What a parked or waiting agent waits for, in words ("task build, task test"). */
  readonly wait: { readonly on: string; readonly since: Date } | null;
  /** Its agent lives but its turn is over: what it said of that, and since when. */
  readonly idle: { readonly words: string; readonly since: Date } | null;
  /** Its agent leads and may not go on until a person says so: what is in its way, and since when. */
  readonly blocked: { readonly words: string; readonly since: Date } | null;
  /** Set when a budget holds it. */
  readonly budget: UsedUp | null;
}

export function whyTask(facts: WhyTaskFacts, now: Date): Why {
  const blockers = blockersOf(facts, now).map((item) => ({ ...item, taskId: facts.id }));
  const moving = blockers.every((item) => item.kind === 'question') && isUnderWay(facts);
  const first = blockers[0];
  const summary = first?.reason ?? `Task ${facts.name} is ${facts.status} and moves.`;
  return { id: facts.id, kind: 'task', status: facts.status, moving, summary, blockers };
}

/** Whether it goes on although a question may be open: at work beside it, or about to be started again. */
function isUnderWay(facts: WhyTaskFacts): boolean {
  if (facts.openQuestions.length === 0) return true;
  if (facts.status === 'paused') return false;
  return facts.status !== 'running' || (facts.session === 'live' && facts.wait === null);
}

function blockersOf(facts: WhyTaskFacts, now: Date): readonly Blocker[] {
  switch (facts.status) {
    case 'done':
    case 'failed':
    case 'merged':
    case 'cancelled':
      return [ended(facts)];
    case 'pending':
    case 'interrupted':
      return overBudget(facts) ?? waitingForPlace(facts);
    case 'paused':
      return overBudget(facts) ?? resting(facts) ?? paused(facts);
    case 'starting':
    case 'running':
      return overBudget(facts) ?? resting(facts) ?? atWork(facts, now);
  }
}

function overBudget({ budget }: WhyTaskFacts): readonly Blocker[] | undefined {
  if (budget === null) return undefined;
  return [budgetBlocker(budget)];
}

function ended(facts: WhyTaskFacts): Blocker {
  const because = facts.errorMessage === null ? '' : `: ${facts.errorMessage}`;
  const reason = `Task ${facts.name} is ${facts.status}${because}.`.replace(/\.\.$/, '.');
  return blocker({ kind: 'done', reason, since: facts.statusSince, whoCanAct: 'nobody' });
}

function waitingForPlace(facts: WhyTaskFacts): readonly Blocker[] {
  if (!mayWork(facts.contractStatus)) return [contractRests(facts)];
  const since = facts.statusSince;
  if (facts.needs.kind === 'waiting') {
    return facts.needs.on.map((need) =>
      blocker({
        kind: 'dependency',
        reason: `Needs task ${need.name}, which is ${need.status}.`,
        since,
        whoCanAct: 'supervisor',
      }),
    );
  }
  if (facts.needs.kind === 'never') {
    return facts.needs.because.map((need) =>
      blocker({
        kind: 'dependency',
        reason: `Needs task ${need.name}, which is ${need.status}: it cannot start as it stands.`,
        since,
        whoCanAct: 'supervisor',
      }),
    );
  }
  const questions = facts.openQuestions.map(questionBlocker);
  return facts.unplaced === null
    ? questions
    : [placementBlocker(facts.unplaced, since), ...questions];
}

function contractRests(facts: WhyTaskFacts): Blocker {
  const resumable = facts.contractStatus === 'paused' || facts.contractStatus === 'blocked';
  return blocker({
    kind: facts.contractStatus === 'blocked' ? 'blocked' : 'pause',
    reason: `Its contract is ${facts.contractStatus}.`,
    since: null,
    whoCanAct: resumable ? 'person' : 'nobody',
    act: resumable ? activateAct(facts.contractId) : null,
  });
}

/** Parked or limited: no process, a wait or a timer instead. Undefined for one that has a process. */
function resting(facts: WhyTaskFacts): readonly Blocker[] | undefined {
  if (facts.session === 'limited') {
    return [limited(facts)];
  }
  return facts.session === 'parked' ? parked(facts) : undefined;
}

/** It goes on by itself at a time, or by a person's word. */
function limited({ resumeAt, statusSince: since }: WhyTaskFacts): Blocker {
  const reason = 'The account of its agent is at its usage limit.';
  if (resumeAt === null) {
    const asked = `${reason} A person was asked whether it goes on.`;
    return blocker({
      kind: 'limit',
      reason: asked,
      since,
      whoCanAct: 'person',
      act: 'makima inbox',
    });
  }
  const until = `${reason} It goes on at ${resumeAt.toISOString()}.`;
  return blocker({ kind: 'limit', reason: until, since, whoCanAct: 'system' });
}

/** It has no process; what wakes it is the blocker. */
function parked(facts: WhyTaskFacts): readonly Blocker[] {
  const waits = waitingFor(facts);
  if (waits.length > 0)
    return waits.map((item) => ({ ...item, reason: `${sentence(item.reason)} ${parkedWords}` }));
  // Nothing is left to wait for: it is about to be woken.
  if (facts.idle === null) return [];
  const { since } = facts.idle;
  const reason = `Its turn is over; it is told when a task of its contract ends. ${parkedWords}`;
  return [blocker({ kind: 'dependency', reason, since, whoCanAct: 'system' })];
}

const parkedWords = 'It is parked: no process, no tokens.';

/** The words of people and agents may end in anything. */
function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

/** What its agent waits for: a person first, else tasks, a time or an event. */
function waitingFor(facts: WhyTaskFacts): readonly Blocker[] {
  if (facts.openQuestions.length > 0 || facts.wait === null) {
    return facts.openQuestions.map(questionBlocker);
  }
  const { on, since } = facts.wait;
  return [blocker({ kind: 'dependency', reason: `Waits for ${on}.`, since, whoCanAct: 'system' })];
}

function paused(facts: WhyTaskFacts): readonly Blocker[] {
  const reason = `Task ${facts.name} is paused.`;
  const act = mayWork(facts.contractStatus) ? null : activateAct(facts.contractId);
  const since = facts.statusSince;
  const pause = blocker({ kind: 'pause', reason, since, whoCanAct: 'person', act });
  return [...facts.openQuestions.map(questionBlocker), pause];
}

function atWork(facts: WhyTaskFacts, now: Date): readonly Blocker[] {
  const waits = waitingFor(facts);
  if (facts.daemon !== null && !facts.daemon.connected) {
    const reason = `Daemon ${facts.daemon.name}, on which it runs, is offline.`;
    return [offlineBlocker(reason, facts.daemon.lastSeenAt), ...waits];
  }
  if (facts.lease !== null && leaseVerdict(facts.lease, now).kind === 'expired') {
    const reason = 'Its lease has run out; it is about to be taken over.';
    const since = facts.lease.expiresAt;
    return [blocker({ kind: 'lease', reason, since, whoCanAct: 'system' }), ...waits];
  }
  const silent = silentMachine(facts, now);
  if (silent !== undefined) return [silent, ...waits];
  if (facts.blocked !== null) return [blocked(facts.contractId, facts.blocked), ...waits];
  if (facts.idle !== null && waits.length === 0) return [idleBlocker(facts.id, facts.idle)];
  return waits;
}

/** Two beats and a half: one may be lost on the way. */
const silentMs = 25_000;

/** Connected, its lease still held, but not heard of: between alive and given up. */
function silentMachine({ daemon, lease }: WhyTaskFacts, now: Date): Blocker | undefined {
  const seen = daemon?.lastSeenAt ?? null;
  if (daemon === null || lease === null || seen === null) return undefined;
  const silent = now.getTime() - seen.getTime();
  if (silent < silentMs) return undefined;
  const reason = `Nothing was heard of daemon ${daemon.name} for ${Math.floor(silent / 1_000)} s; unless it is heard of, the task is taken over after ${lease.expiresAt.toISOString()}.`;
  return blocker({ kind: 'lease', reason, since: seen, whoCanAct: 'system' });
}

/** By its id, or by its slug where that is at hand. */
export function activateAct(contractId: string): string {
  return `makima contracts resume ${contractId}`;
}

function blocked(
  contractId: string,
  { words, since }: NonNullable<WhyTaskFacts['blocked']>,
): Blocker {
  const act = activateAct(contractId);
  return blocker({ kind: 'blocked', reason: words, since, whoCanAct: 'person', act });
}
