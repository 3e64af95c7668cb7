/**
 * Gives every row that should have a job a ticket again (the reconciler's port): Redis holds nothing that
 * cannot be derived from the rows.
 *
 * Law: one transaction counts the tickets and writes their mail. A ticket too many is a job that finds
 * nothing to do.
 */
import { jobId, jobVersion } from '@makima/contracts/jobs';
import { appendOutbox, type NewMail } from '@makima/db/repo/outbox';
import { requeueMark, takeDueJobs, type DueJob } from '@makima/db/repo/requeue';
import { inTransaction, reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';

/** Between two tickets of a row; doubles with each. */
export const spacingMs = 15_000;
const batch = 2_000;
const maxBatches = 50;

/** `olderThanMs` 0: everything at once, for a Redis that has lost its memory. Answers how many were written. */
export async function requeueDue(engine: Engine, input: { olderThanMs: number }): Promise<number> {
  const before = await reading(engine.database, requeueMark(engine.database.sql));
  const args = {
    olderThanMs: input.olderThanMs,
    before,
    spacingMs,
    graceMs: engine.settings.completionGraceMs,
    limit: batch,
  };
  let written = 0;
  // What this round has taken is not due again, so that each batch brings new rows.
  for (let round = 0; round < maxBatches; round += 1) {
    const mail = await inTransaction(engine.database, async (tx) => {
      const due = await takeDueJobs(tx, args);
      await appendOutbox(tx, due.map(mailOf));
      return due.length;
    });
    written += mail;
    if (mail > 0) engine.committed({ mail, hints: [] });
    if (mail < batch) break;
  }
  return written;
}

function mailOf(due: DueJob): NewMail {
  const { queue, ownerId, entityId, fence, count } = due;
  return {
    ownerId,
    queue,
    jobId: jobId(queue, entityId, fence, count),
    payload: { v: jobVersion, ownerId, ...subjectOf(due) },
    notBefore: null,
  };
}

function subjectOf({ queue, entityId, fence }: DueJob): Record<string, unknown> {
  switch (queue) {
    case 'spawn-task':
      return { taskId: entityId };
    case 'deliver-notification':
      return { webhookId: entityId };
    case 'clean-contract':
    case 'evaluate-contract':
      return { contractId: entityId };
    case 'retry-task':
    case 'restore-supervisor':
    case 'wake-supervisor':
    case 'save-state':
      return { taskId: entityId, attempt: fence };
  }
}
