/**
 * An agent met its account's usage limit: its attempt is over without a fault, its task rests until the limit
 * ends, and nobody else of that account is started before.
 *
 * Law: a pause, never a failure: no process, no lease, no key, no retry is counted. Where task or contract say
 * so, it goes on only by a person's word.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { limitChoices, limitEnds, limitPolicy } from '@makima/domain/usage-limit';
import { limitedInARow, noteLimit } from '@makima/db/repo/agent-limits';
import { changeAttempt } from '@makima/db/repo/attempts';
import { findContract } from '@makima/db/repo/contracts';
import { findDaemon } from '@makima/db/repo/daemons';
import { releaseQuestions } from '@makima/db/repo/parking';
import { insertQuestion } from '@makima/db/repo/questions';
import { lockSupervisor, saveCondition } from '@makima/db/repo/supervisors';
import { changeTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import type { Fenced } from '../report/fence.ts';
import { blockSupervisor } from '../supervisor/block.ts';
import { accountOf } from './account.ts';

/** The attempt is live; the caller holds task and attempt. */
export async function meetLimit(
  a: Act,
  { task, attempt, present }: Fenced,
  report: ReportOf<'task.ended'>,
): Promise<void> {
  const about = { taskId: task.id, attempt: report.attempt };
  const inARow = 1 + (await limitedInARow(a.tx, about));
  const resetsAt = report.limit?.resetsAt == null ? null : new Date(report.limit.resetsAt);
  const until = limitEnds({ resetsAt, inARow }, a.now);
  await changeAttempt(a.tx, {
    ...about,
    from: ['assigned', 'running'],
    set: {
      state: 'cancelled',
      reason: `limited: until ${until.toISOString()}`,
      summary: report.summary,
      endedAt: a.now,
    },
  });
  const daemon = await findDaemon(a.tx, { ownerId: a.ownerId, id: attempt.daemonId });
  const account = daemon === undefined ? null : accountOf(daemon, task.agent);
  const window = report.limit?.window ?? null;
  if (account !== null) {
    const key = { ownerId: a.ownerId, agent: task.agent, account };
    await noteLimit(a.tx, { ...key, until, window });
  }
  // Its place is free now; who is held back with it is looked at when the limit ends.
  const { id: entityId } = task;
  a.mail('spawn-task', { taskId: null }, { entityId, fence: `room-${report.attempt}` });
  a.mail(
    'spawn-task',
    { taskId: null },
    { entityId, fence: `limited-${report.attempt}`, notBefore: until },
  );
  if (present) await rest(a, task, { ...about, until, window, commitSha: report.commitSha });
}

interface Limited {
  readonly taskId: string;
  readonly attempt: number;
  readonly until: Date;
  readonly window: string | null;
  readonly commitSha: string | null;
}

async function rest(a: Act, task: TaskRow, limited: Limited): Promise<void> {
  const { attempt, until, window } = limited;
  const contract =
    task.contractId === null
      ? undefined
      : await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  const asks = limitPolicy(task.onLimit, contract?.onLimit) === 'ask';
  const row = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt,
    from: ['starting', 'running'],
    set: {
      status: 'paused',
      session: 'limited',
      resumeAt: asks ? null : until,
      commitSha: limited.commitSha ?? task.commitSha,
      errorMessage: null,
    },
  });
  if (row === undefined) return;
  // Nobody reads the answers that requests of its agent held for.
  await releaseQuestions(a.tx, { taskId: task.id });
  a.emit('task.limited', {
    contractId: task.contractId,
    taskId: task.id,
    data: {
      attempt,
      agent: task.agent,
      until: until.toISOString(),
      window,
      asks,
      name: task.name,
      isSupervisor: task.isSupervisor,
    },
  });
  if (task.isSupervisor) await tellCondition(a, task, until);
  if (asks) await ask(a, row, until);
}

async function tellCondition(a: Act, task: TaskRow, until: Date): Promise<void> {
  const activity = `At its usage limit until ${until.toISOString()}`;
  if (await blockSupervisor(a, task, activity)) return;
  const supervisor = await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id });
  if (supervisor === undefined) return;
  await saveCondition(a.tx, { taskId: task.id, state: supervisor.state, activity });
}

/** Not blocking: only this one agent stands still until somebody decides. */
async function ask(a: Act, task: TaskRow, until: Date): Promise<void> {
  const { id: taskId, currentAttempt: attempt } = task;
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: task.contractId,
    directiveId: task.directiveId,
    taskId,
    askKey: `limit-${attempt}`,
    askedEpoch: attempt,
    question: `${task.name} is at the usage limit of its ${task.agent} account until ${until.toISOString()}. What then?`,
    choices: [...limitChoices],
    nonBlocking: true,
    subject: { kind: 'limit', taskId, attempt, until: until.toISOString() },
  });
  if (question === undefined) return;
  a.emit('question.asked', {
    contractId: task.contractId,
    taskId,
    data: {
      questionId: question.id,
      questionType: question.questionType,
      question: question.question,
      choices: question.choices,
    },
  });
}
