/**
 * What may be wrong with a supervisor that is about to be restored, as typed findings.
 *
 * Law: a finding is data, decided by comparing what was saved with the rows as they are; nobody searches
 * words in a message. Faults count towards a person's intervention, warnings are only told.
 */
import type { TaskStatus } from './task.ts';

export type Finding =
  | { readonly kind: 'spawned_task_missing'; readonly taskId: string }
  | { readonly kind: 'checkpoint_missing'; readonly commit: string }
  | { readonly kind: 'snapshot_invalid'; readonly why: string }
  | { readonly kind: 'conversation_gap'; readonly afterSeq: number }
  | { readonly kind: 'conversation_empty' }
  | { readonly kind: 'question_orphaned'; readonly questionId: string }
  | { readonly kind: 'question_old'; readonly questionId: string; readonly hours: number }
  | { readonly kind: 'repository_gone' }
  | { readonly kind: 'daemon_gone'; readonly daemonId: string }
  | { readonly kind: 'session_transcript_missing'; readonly sessionId: string }
  | { readonly kind: 'phase_mismatch'; readonly saved: string; readonly actual: string };

export type FindingKind = Finding['kind'];

/** Warnings that never count: age, and what a restoration is there for anyway. */
const warningKinds: ReadonlySet<FindingKind> = new Set(['question_old', 'daemon_gone']);

export function isFault(finding: Finding): boolean {
  return !warningKinds.has(finding.kind);
}

export interface RestorationQuestion {
  readonly id: string;
  readonly question: string;
  readonly askedAt: Date;
  /** The task that asked still exists. */
  readonly askerExists: boolean;
}

export interface RestorationTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
}

export interface RestorationFacts {
  /** The supervisor's saved state: there, never written, or not to be parsed. */
  readonly state: 'present' | 'none' | 'unreadable';
  /** Restorations before this one. */
  readonly restorationCount: number;
  /** The contract's phase by its row, and the one that was saved (null: none was). */
  readonly phase: string;
  readonly savedPhase: string | null;
  /** Tasks that the saved state says it spawned, and those that exist. */
  readonly spawnedTaskIds: readonly string[];
  readonly tasks: readonly RestorationTask[];
  /** Open questions of the supervisor. */
  readonly questions: readonly RestorationQuestion[];
  /** Ids of its open wait rows. */
  readonly waitIds: readonly string[];
  readonly conversation: {
    readonly messageCount: number;
    /** The position after which messages are missing; null when it is whole. */
    readonly gapAfterSeq: number | null;
  };
  /** The newest snapshot: null when none was taken. */
  readonly snapshot: { readonly valid: boolean; readonly why?: string | undefined } | null;
  readonly checkpoint: { readonly commit: string; readonly exists: boolean } | null;
  /** The agent's own session, and where its transcript can be had. */
  readonly session: {
    readonly id: string;
    readonly daemonId: string | null;
    readonly transcript: 'server' | 'daemon_only' | 'missing';
  } | null;
  readonly lastDaemon: { readonly daemonId: string; readonly connected: boolean } | null;
  readonly repositoryExists: boolean;
}

export const oldQuestionMs = 24 * 3_600_000;

/** Everything that does not fit, in a fixed order. */
export function inspect(facts: RestorationFacts, now: Date): readonly Finding[] {
  return [
    ...workFindings(facts),
    ...conversationFindings(facts),
    ...questionFindings(facts, now),
    ...placeFindings(facts),
  ];
}

function workFindings(facts: RestorationFacts): readonly Finding[] {
  const known = new Set(facts.tasks.map((task) => task.id));
  const findings: Finding[] = facts.spawnedTaskIds
    .filter((taskId) => !known.has(taskId))
    .map((taskId) => ({ kind: 'spawned_task_missing', taskId }));
  if (facts.checkpoint !== null && !facts.checkpoint.exists) {
    findings.push({ kind: 'checkpoint_missing', commit: facts.checkpoint.commit });
  }
  if (facts.savedPhase !== null && facts.savedPhase !== facts.phase) {
    findings.push({ kind: 'phase_mismatch', saved: facts.savedPhase, actual: facts.phase });
  }
  return findings;
}

function conversationFindings(facts: RestorationFacts): readonly Finding[] {
  const findings: Finding[] = [];
  if (facts.snapshot !== null && !facts.snapshot.valid) {
    findings.push({ kind: 'snapshot_invalid', why: facts.snapshot.why ?? 'it does not verify' });
  }
  if (facts.conversation.gapAfterSeq !== null) {
    findings.push({ kind: 'conversation_gap', afterSeq: facts.conversation.gapAfterSeq });
  }
  if (facts.conversation.messageCount === 0 && facts.restorationCount > 0) {
    findings.push({ kind: 'conversation_empty' });
  }
  return findings;
}

function questionFindings(facts: RestorationFacts, now: Date): readonly Finding[] {
  return facts.questions.flatMap((question): Finding[] => {
    if (!question.askerExists) return [{ kind: 'question_orphaned', questionId: question.id }];
    const ageMs = now.getTime() - question.askedAt.getTime();
    if (ageMs <= oldQuestionMs) return [];
    const hours = Math.floor(ageMs / 3_600_000);
    return [{ kind: 'question_old', questionId: question.id, hours }];
  });
}

function placeFindings(facts: RestorationFacts): readonly Finding[] {
  const findings: Finding[] = [];
  if (!facts.repositoryExists) findings.push({ kind: 'repository_gone' });
  if (facts.lastDaemon !== null && !facts.lastDaemon.connected) {
    findings.push({ kind: 'daemon_gone', daemonId: facts.lastDaemon.daemonId });
  }
  if (facts.session !== null && !sessionReachable(facts)) {
    findings.push({ kind: 'session_transcript_missing', sessionId: facts.session.id });
  }
  return findings;
}

/** The agent's session can be continued: by its transcript on the server, or on the machine that has it. */
export function sessionReachable(facts: RestorationFacts): boolean {
  const { session, lastDaemon } = facts;
  if (session === null || session.transcript === 'missing') return false;
  if (session.transcript === 'server') return true;
  return lastDaemon?.connected === true && lastDaemon.daemonId === session.daemonId;
}

/** One sentence for the notice and for people. */
export function findingSentence(finding: Finding): string {
  switch (finding.kind) {
    case 'spawned_task_missing':
      return `Spawned task ${finding.taskId} is missing.`;
    case 'checkpoint_missing':
      return `The commit ${finding.commit.slice(0, 10)} of the last checkpoint is missing.`;
    case 'snapshot_invalid':
      return `The last snapshot is not valid: ${finding.why}.`;
    case 'conversation_gap':
      return `The stored conversation has a gap after message ${finding.afterSeq}.`;
    case 'conversation_empty':
      return 'The stored conversation is empty although there was an earlier restoration.';
    case 'question_orphaned':
      return `Question ${finding.questionId} was asked by a task that no longer exists.`;
    case 'question_old':
      return `Question ${finding.questionId} has been open for ${finding.hours} hours.`;
    case 'repository_gone':
      return 'The repository of the contract is gone.';
    case 'daemon_gone':
      return `Daemon ${finding.daemonId}, where it last ran, is not connected.`;
    case 'session_transcript_missing':
      return `The transcript of the agent session ${finding.sessionId} cannot be had.`;
    case 'phase_mismatch':
      return `The saved state says phase ${finding.saved}, the contract is in ${finding.actual}.`;
  }
}
