/**
 * The attention that a contract or task asks for, and the order of the inbox.
 *
 * Law: computed by the server, from rows, in one place; every surface shows the same word. What a person
 * must do comes before everything else.
 */
import { type Attention, attentionRank } from './attention-rank.ts';
import type { ContractStatus } from './contract.ts';
import type { TaskSession, TaskStatus } from './task.ts';

export type AttentionFacts =
  | {
      readonly kind: 'contract';
      readonly status: ContractStatus;
      /** Open questions, blocking or not. */
      readonly openQuestions: number;
      readonly openConfirmations: number;
      /** Something of it stands still until a person acts. */
      readonly standsStill: boolean;
      readonly isStale: boolean;
      /** Its supervisor, or every task that could work, waits for a usage limit. */
      readonly isLimited: boolean;
      /** A live or parked supervisor, or a running task. */
      readonly isWorking: boolean;
    }
  | {
      readonly kind: 'task';
      readonly status: TaskStatus;
      readonly session: TaskSession;
      readonly openQuestions: number;
    };

export function attentionOf(facts: AttentionFacts): Attention {
  return facts.kind === 'contract' ? contractAttention(facts) : taskAttention(facts);
}

type ContractAttention = Extract<AttentionFacts, { kind: 'contract' }>;
type TaskAttention = Extract<AttentionFacts, { kind: 'task' }>;

function contractAttention(facts: ContractAttention): Attention {
  switch (facts.status) {
    case 'archived':
      return 'archived';
    case 'completed':
      return 'done';
    case 'failed':
      return 'failed';
    case 'waiting_for_input':
    case 'blocked':
      return 'needs_you';
    case 'created':
    case 'active':
    case 'paused':
    case 'completing':
      return openContractAttention(facts);
  }
}

function openContractAttention(facts: ContractAttention): Attention {
  if (facts.openQuestions > 0 || facts.openConfirmations > 0) return 'needs_you';
  if (facts.status === 'paused') return 'paused';
  if (facts.standsStill) return 'needs_you';
  if (facts.isStale) return 'stale';
  if (facts.isLimited) return 'limited';
  return facts.isWorking || facts.status === 'completing' ? 'running' : 'queued';
}

function taskAttention(facts: TaskAttention): Attention {
  switch (facts.status) {
    case 'done':
    case 'merged':
    case 'cancelled':
      return 'done';
    case 'failed':
      return 'failed';
    case 'pending':
    case 'starting':
    case 'running':
    case 'interrupted':
    case 'paused':
      return openTaskAttention(facts);
  }
}

function openTaskAttention(facts: TaskAttention): Attention {
  if (facts.openQuestions > 0) return 'needs_you';
  if (facts.session === 'limited') return 'limited';
  if (facts.session === 'parked') return 'running';
  if (facts.status === 'paused') return 'paused';
  return facts.status === 'running' || facts.status === 'starting' ? 'running' : 'queued';
}

/** In this order when they ask for the same attention. */
export const inboxKinds = [
  'confirmation',
  'permission',
  'question',
  'blocked',
  'standstill',
  'budget',
  'failure',
  'incident',
  'stale',
] as const;

export type InboxKind = (typeof inboxKinds)[number];

export interface InboxItem {
  readonly id: string;
  readonly kind: InboxKind;
  readonly since: Date;
  /** Somebody stands still until this is done. */
  readonly blocksWork: boolean;
}

const inboxAttention: Readonly<Record<InboxKind, Attention>> = {
  confirmation: 'needs_you',
  permission: 'needs_you',
  question: 'needs_you',
  blocked: 'needs_you',
  standstill: 'needs_you',
  budget: 'needs_you',
  failure: 'failed',
  incident: 'failed',
  stale: 'stale',
};

/** The inbox in its order: attention, then what holds up work, then kind, then the longest wait. */
export function inboxRank<T extends InboxItem>(items: readonly T[]): readonly T[] {
  return items.toSorted(compareItems);
}

function compareItems(a: InboxItem, b: InboxItem): number {
  return (
    attentionRank(inboxAttention[a.kind]) - attentionRank(inboxAttention[b.kind]) ||
    Number(b.blocksWork) - Number(a.blocksWork) ||
    inboxKinds.indexOf(a.kind) - inboxKinds.indexOf(b.kind) ||
    a.since.getTime() - b.since.getTime() ||
    (a.id < b.id ? -1 : 1)
  );
}
