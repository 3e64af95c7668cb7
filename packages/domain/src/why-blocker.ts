/**
 * One reason why something does not move: what, since when, who can act, and the act itself.
 *
 * Law: every blocker names an unmet condition exactly. An act is a command line that exists; none when nobody
 * needs to do anything but wait.
 */
import type { UnplacedReason } from './placement.ts';

export const blockerKinds = [
  'done',
  'not_started',
  'guard',
  'question',
  'blocked',
  'pause',
  'budget',
  'limit',
  'machine_offline',
  'lease',
  'no_daemon',
  'capacity',
  'backing_off',
  'dependency',
  'idle',
  'gate',
] as const;

export type BlockerKind = (typeof blockerKinds)[number];

export type WhoCanAct = 'person' | 'supervisor' | 'daemon' | 'system' | 'nobody';

export interface Blocker {
  readonly kind: BlockerKind;
  readonly reason: string;
  readonly since: Date | null;
  readonly whoCanAct: WhoCanAct;
  readonly act: string | null;
  readonly taskId: string | null;
  readonly questionId: string | null;
}

export interface Why {
  readonly id: string;
  readonly kind: 'contract' | 'task';
  readonly status: string;
  /** Some agent works on it now, or the system is about to take the next step by itself. */
  readonly moving: boolean;
  /** One sentence: the first blocker's, or that it moves. */
  readonly summary: string;
  readonly blockers: readonly Blocker[];
}

type BlockerInput = Pick<Blocker, 'kind' | 'reason' | 'since' | 'whoCanAct'> & Partial<Blocker>;

export function blocker(input: BlockerInput): Blocker {
  return { act: null, taskId: null, questionId: null, ...input };
}

export const startDaemonAct = 'makima daemon start';

export interface OpenQuestion {
  readonly id: string;
  readonly question: string;
  readonly askedAt: Date;
  /** It asks what becomes of a budget that is used up; the first answer that it offers. */
  readonly raise?: string | undefined;
}

export function questionBlocker(question: OpenQuestion): Blocker {
  if (question.raise !== undefined) {
    const { question: reason, askedAt: since, id, raise } = question;
    return budgetBlocker({ reason, since, questionId: id, raise });
  }
  return blocker({
    kind: 'question',
    reason: `Waits for an answer: ${question.question}`,
    since: question.askedAt,
    whoCanAct: 'person',
    act: `makima answer ${question.id} "<your answer>"`,
    questionId: question.id,
  });
}

export interface UsedUp {
  readonly reason: string;
  readonly since: Date;
  /** What a person was asked; null when they have just answered. */
  readonly questionId: string | null;
  readonly raise: string | null;
}

/** Nothing is started before a person has answered. */
export function budgetBlocker({ reason, since, questionId, raise }: UsedUp): Blocker {
  const act = questionId === null ? null : `makima answer ${questionId} "${raise ?? ''}"`;
  return blocker({ kind: 'budget', reason, since, whoCanAct: 'person', act, questionId });
}

/** Why the placement rule found no place. */
export function placementBlocker(reason: UnplacedReason, since: Date | null): Blocker {
  switch (reason.kind) {
    case 'backing_off': {
      const text = `The next attempt starts at ${reason.until.toISOString()}.`;
      return blocker({ kind: 'backing_off', reason: text, since, whoCanAct: 'system' });
    }
    case 'no_daemon':
      return missingDaemon('No daemon is connected.', since);
    case 'excluded':
      return missingDaemon('Every connected daemon has failed to start this task.', since);
    case 'agent_missing':
      return blocker({
        kind: 'no_daemon',
        reason: `No connected machine that may take it has the agent ${reason.agent}: install it there, or begin anew with --agent and one that is there.`,
        since,
        whoCanAct: 'person',
        act: 'makima daemon list',
      });
    case 'account_limited': {
      const text = `The account of ${reason.agent} is at its usage limit until ${reason.until.toISOString()}.`;
      return blocker({ kind: 'limit', reason: text, since, whoCanAct: 'system' });
    }
    case 'no_capacity': {
      const text = reason.reservedForTasks
        ? 'The last free place is kept for ordinary tasks; another supervisor must end or park first.'
        : 'Every daemon that may take it is full; of what waits for a place, supervisors go first.';
      return blocker({ kind: 'capacity', reason: text, since, whoCanAct: 'system' });
    }
    case 'waits_for_its_daemon':
      return itsDaemonBlocker(reason, since);
  }
}

function itsDaemonBlocker(
  reason: Extract<UnplacedReason, { kind: 'waits_for_its_daemon' }>,
  since: Date | null,
): Blocker {
  const name = reason.daemonName ?? reason.daemonId;
  switch (reason.condition) {
    case 'offline':
      return offlineBlocker(`Only daemon ${name} can run it, and it is offline.`, since);
    case 'full': {
      const text = `Only daemon ${name} can run it, and it is full; of what waits for a place, supervisors go first.`;
      return blocker({ kind: 'capacity', reason: text, since, whoCanAct: 'system' });
    }
    case 'excluded':
      return missingDaemon(`Only daemon ${name} can run it, and it has failed to start it.`, since);
  }
}

export function offlineBlocker(reason: string, since: Date | null): Blocker {
  return blocker({
    kind: 'machine_offline',
    reason,
    since,
    whoCanAct: 'person',
    act: startDaemonAct,
  });
}

function missingDaemon(reason: string, since: Date | null): Blocker {
  return blocker({ kind: 'no_daemon', reason, since, whoCanAct: 'person', act: startDaemonAct });
}

/** Nothing wakes it but a message: nobody should be told that it works. */
export function idleBlocker(
  taskId: string,
  { words, since }: { readonly words: string; readonly since: Date },
): Blocker {
  return blocker({
    kind: 'idle',
    reason: `Its agent has ended its turn and waits to be told. ${words}`.trim(),
    since,
    whoCanAct: 'person',
    act: `makima tasks message ${taskId} "<what to do next>"`,
  });
}
