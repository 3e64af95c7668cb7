/** Cursors of lists that go by id: the id of the last row, and refused when it is none. */
import { zId } from '@makima/contracts/ids';
import { MakimaError } from '@makima/domain/error';

/** @throws VALIDATION_FAILED for a cursor that is not from a list. */
export function idCursor(after: string | undefined): string | undefined {
  if (after === undefined || zId.safeParse(after).success) return after;
  throw new MakimaError('VALIDATION_FAILED', 'this cursor is not from this list', {
    details: { errors: [{ pointer: '/after', detail: 'use the nextCursor of the page before' }] },
  });
}
