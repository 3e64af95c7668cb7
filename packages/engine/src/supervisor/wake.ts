/**
 * Start a parked supervisor again (job `wake-supervisor`) with a digest of what it waited for: its next
 * attempt continues the session.
 */
import { wakeDigest } from '@makima/domain/notice';
import { findContract } from '@makima/db/repo/contracts';
import { openQuestionsOf, untakenAnswers } from '@makima/db/repo/questions';
import { changeTask, lockTask, tasksOfContract } from '@makima/db/repo/tasks';
import { tellTimeouts } from '@makima/db/repo/waits';
import { act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { sendMessage } from '../message/send.ts';
import { mayWork } from '@makima/domain/contract';

export function wakeSupervisor(
  engine: Engine,
  caller: System,
  input: { taskId: string; attempt: number },
): Promise<Acted<'nothing' | 'woken'>> {
  return act(engine, { caller }, async (a) => {
    const task = await lockTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    if (
      task?.contractId == null ||
      task.session !== 'parked' ||
      task.currentAttempt !== input.attempt
    )
      return 'nothing';
    const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
    if (contract === undefined || !mayWork(contract.status)) return 'nothing';
    const [tasks, timedOut, open, answers] = await Promise.all([
      tasksOfContract(a.tx, { ownerId: a.ownerId, contractId: contract.id }),
      tellTimeouts(a.tx, { taskId: task.id }),
      openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id }),
      untakenAnswers(a.tx, { taskId: task.id }),
    ]);
    await changeTask(a.tx, {
      ownerId: a.ownerId,
      id: task.id,
      attempt: task.currentAttempt,
      from: ['paused'],
      set: { status: 'interrupted' },
    });
    const row = await changeTask(a.tx, {
      ownerId: a.ownerId,
      id: task.id,
      attempt: task.currentAttempt,
      from: ['interrupted'],
      set: { status: 'pending', session: 'none', pendingSince: a.now },
    });
    if (row === undefined) return 'nothing';
    await sendMessage(a, {
      taskId: task.id,
      mode: 'steer',
      source: 'wake',
      sourceId: null,
      text: wakeDigest({
        reason: timedOut.length === 0 ? 'satisfied' : 'timed_out',
        phase: contract.phase,
        tasks: tasks
          .filter((t) => !t.isSupervisor)
          .map((t) => ({
            id: t.id,
            name: t.name,
            status: t.status,
            summary: t.outputSummary,
            errorMessage: t.errorMessage,
          })),
        answers: answers.map((q) => ({ question: q.question, answer: q.response ?? '' })),
        openQuestions: open.map((q) => ({ id: q.id, question: q.question })),
      }),
    });
    a.emit('supervisor.woken', {
      contractId: contract.id,
      taskId: task.id,
      data: { epoch: task.currentAttempt + 1 },
    });
    a.mail(
      'spawn-task',
      { taskId: task.id },
      { entityId: task.id, fence: `wake-${task.currentAttempt}` },
    );
    return 'woken';
  });
}
