/**
 * What a verb ordered from a machine, or the person who has to be asked first, as doors answer it.
 *
 * Law: an act that waits for a person is a problem that names its question; nothing was done.
 */
import { MakimaError } from '@makima/domain/error';
import type { Ordered } from '@makima/engine/operation/permit';

export function operationOf(ordered: Ordered): string {
  if (ordered.operationId !== null) return ordered.operationId;
  const { questionId } = ordered;
  throw new MakimaError('CONFIRMATION_REQUIRED', 'a person has to allow this; they are asked', {
    details: { questionId },
    retryable: true,
    fix: `wait for the answer: GET /api/v1/mesh/supervisor/questions/${questionId}/poll, then ask again`,
  });
}
