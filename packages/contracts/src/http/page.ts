/**
 * Pages: an opaque cursor and a limit. A cursor is made by the server and valid only for the list that gave it.
 *
 * Law: no offsets; a page is stable while rows are inserted.
 */
import { z } from 'zod';

export const zCursorQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(500).optional(),
});

export function zPage<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
