/**
 * What a restoration's plan says, written in one transaction: the notice, the questions delivered again with
 * their ids, the waits kept, the task pending for its next epoch.
 *
 * Law: one restoration and one notice per epoch. A person who decides anew before that epoch has begun
 * rewrites them; nobody else does.
 */
import { restorationNotice, type NoticeFacts } from '@makima/domain/notice';
import type { RestorationPlan } from '@makima/domain/restoration';
import type { ResumeMode } from '@makima/domain/resume';
import { rewriteUnsent } from '@makima/db/repo/messages';
import {
  answersTakenSince,
  cancelQuestionRow,
  redeliverQuestions,
  untakenAnswers,
} from '@makima/db/repo/questions';
import {
  countRestoration,
  insertRestoration,
  rewriteRestoration,
  saveCondition,
} from '@makima/db/repo/supervisors';
import { changeTask } from '@makima/db/repo/tasks';
import { conversationTail, dropTranscript } from '@makima/db/repo/talk';
import { newId } from '@makima/db/repo/locks';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { tracedTask, type Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { deliver } from '../question/deliver.ts';
import type { RestorationFacts } from './restoration-facts.ts';

/** A notice names so many answers, of so many characters. */
const answersNamedMax = 20;
const answerNamedChars = 2_000;
/** And so much of the conversation before. */
const messagesToldMax = 20;
const messageToldChars = 1_000;

export interface Restoration {
  readonly contract: ContractRow;
  /** Interrupted; by a person's word also pending. */
  readonly task: TaskRow;
  readonly facts: RestorationFacts;
  readonly plan: RestorationPlan;
  /** Set when a person decided. */
  readonly byPerson?: {
    readonly mode: ResumeMode;
    /** What happened, for the notice. */
    readonly cause: string;
    readonly additionalContext: string | undefined;
    /** The checkpoint that they chose to go back to. */
    readonly checkpointSha: string | null;
    readonly targetDaemonId: string | null;
  };
}

/** The count of its restorations; undefined when this epoch has its own already. */
export async function carryOut(a: Act, what: Restoration): Promise<number | undefined> {
  const { task, plan, byPerson } = what;
  const epoch = task.currentAttempt + 1;
  const noticeId = await newId(a.tx);
  const row = {
    taskId: task.id,
    epoch,
    ownerId: a.ownerId,
    strategy: plan.strategy,
    findings: plan.findings,
    warnings: plan.warnings,
    noticeMessageId: noticeId,
    requestedBy: a.caller.name,
  };
  const first = await insertRestoration(a.tx, row);
  if (!first && byPerson === undefined) return undefined;
  const source = byPerson === undefined ? plan.strategy : 'person';
  const count = await countRestoration(a.tx, { taskId: task.id, source, by: first ? 1 : 0 });
  const text = await noticeOf(a, what, { epoch, count });
  const standing = first ? undefined : await rewriteRestoration(a.tx, row);
  const rewritten =
    standing !== undefined && (await rewriteUnsent(a.tx, { id: standing.noticeMessageId, text }));
  if (!rewritten) await sendNotice(a, task, { id: noticeId, text });
  await a.engine.race?.('restore.noticed');
  await redeliver(a, task, plan, epoch);
  await makePending(a, what);
  await saveCondition(a.tx, {
    taskId: task.id,
    ...(byPerson === undefined ? { from: ['interrupted'] as const } : {}),
    state: 'initializing',
    activity: byPerson === undefined ? 'Restored after an interruption' : byPerson.cause,
    errorMessage: null,
  });
  await a.engine.race?.('restore.rearmed');
  const fence = byPerson === undefined ? `restore-${epoch}` : `resume-${epoch}-${a.now.getTime()}`;
  a.mail('spawn-task', { taskId: task.id }, { entityId: task.id, fence });
  return count;
}

async function sendNotice(
  a: Act,
  task: TaskRow,
  { id, text }: { readonly id: string; readonly text: string },
): Promise<void> {
  await sendMessage(a, {
    id,
    taskId: task.id,
    mode: 'steer',
    source: 'notice',
    sourceId: null,
    text,
  });
}

/** The checkpoint that a person chose counts until an agent has begun from it (`task.started`). */
async function makePending(a: Act, { task, plan, byPerson }: Restoration): Promise<void> {
  const fresh = plan.strategy !== 'resume_session';
  if (fresh) await dropTranscript(a.tx, { taskId: task.id });
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: byPerson === undefined ? ['interrupted'] : ['interrupted', 'pending'],
    set: {
      ...tracedTask(a),
      status: 'pending',
      session: 'none',
      pendingSince: a.now,
      retryCount: task.retryCount + 1,
      ...(fresh ? { sessionId: await newId(a.tx), sessionStartedAt: null } : {}),
      ...(byPerson === undefined
        ? {}
        : {
            checkpointSha: byPerson.checkpointSha,
            targetDaemonId: byPerson.targetDaemonId,
            resumeAt: null,
          }),
    },
  });
}

async function noticeOf(
  a: Act,
  { contract, task, facts, plan, byPerson }: Restoration,
  number: { readonly epoch: number; readonly count: number },
): Promise<string> {
  return restorationNotice({
    cause: byPerson?.cause ?? task.errorMessage ?? 'Its agent went away.',
    strategy: plan.strategy === 'manual' ? 'fresh' : plan.strategy,
    epoch: number.epoch,
    restorationCount: number.count,
    phase: contract.phase,
    deliverables: facts.deliverables,
    questions: facts.questions.filter((q) => plan.redeliver.includes(q.id)),
    answers: await answersGiven(a, task),
    tasks: facts.tasks.map((t) => ({ ...t, isAwaited: facts.awaitedTaskIds.includes(t.id) })),
    conversation: await conversationBefore(a, task, { plan, byPerson }),
    warnings: plan.warnings,
    additionalContext: byPerson?.additionalContext,
  });
}

/** What a new session is told of the one before: nothing when it goes on in it, or is to begin anew. */
async function conversationBefore(
  a: Act,
  task: TaskRow,
  { plan, byPerson }: Pick<Restoration, 'plan' | 'byPerson'>,
): Promise<NoticeFacts['conversation']> {
  if (plan.strategy === 'resume_session' || byPerson?.mode === 'restart_phase') return undefined;
  return conversationTail(a.tx, {
    taskId: task.id,
    limit: messagesToldMax,
    chars: messageToldChars,
  });
}

/** What the epoch that died was told: its conversation may not hold it. */
async function answersGiven(a: Act, task: TaskRow): Promise<NonNullable<NoticeFacts['answers']>> {
  const rows = await answersTakenSince(a.tx, { taskId: task.id, attempt: task.currentAttempt });
  return rows.slice(-answersNamedMax).map((row) => ({
    question: row.question.slice(0, answerNamedChars),
    answer: (row.response ?? '').slice(0, answerNamedChars),
  }));
}

/** Open questions keep their ids; answers that nobody read go along; those without an asker end. */
async function redeliver(
  a: Act,
  task: TaskRow,
  plan: RestorationPlan,
  epoch: number,
): Promise<void> {
  await redeliverQuestions(a.tx, { ids: plan.redeliver, epoch });
  for (const id of plan.redeliver) {
    a.emit('question.redelivered', {
      contractId: task.contractId,
      taskId: task.id,
      data: { questionId: id, epoch },
    });
  }
  for (const id of plan.cancelQuestions) await cancelQuestionRow(a.tx, { id });
  for (const question of await untakenAnswers(a.tx, { taskId: task.id }))
    await deliver(a, { ...question, heldUntil: null });
}
