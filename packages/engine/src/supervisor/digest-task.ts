/** A task as a digest tells of it. */
import type { DigestTask } from '@makima/domain/notice';
import type { TaskRow } from '@makima/db/rows';

export function digestTask({ id, name, status, outputSummary, errorMessage }: TaskRow): DigestTask {
  return { id, name, status, summary: outputSummary, errorMessage };
}
