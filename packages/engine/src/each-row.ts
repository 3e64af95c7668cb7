/**
 * Rows that a sweep found, one after the other or a few side by side: what one of them cannot bear keeps none
 * of the others.
 *
 * Law: every row is tried, unless the store is away; the errors come together, at the end, for the log of
 * whoever sweeps.
 */
import { isMakimaError } from '@makima/domain/error';

/** So many rows in a row that found no store: it is away, the next round looks again. */
const absencesMax = 3;

export async function eachRow<R>(
  rows: readonly R[],
  work: (row: R) => Promise<unknown>,
  { lanes = 1 }: { readonly lanes?: number } = {},
): Promise<void> {
  const errors: unknown[] = [];
  let absences = 0;
  const left = rows.values();
  const lane = async (): Promise<void> => {
    for (const row of left) {
      if (absences >= absencesMax) return;
      try {
        await work(row);
        absences = 0;
      } catch (error) {
        errors.push(error);
        const isAway = isMakimaError(error) && error.code === 'DEPENDENCY_UNAVAILABLE';
        absences = isAway ? absences + 1 : 0;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (errors.length > 0)
    throw new AggregateError(
      errors,
      `${errors.length} of ${rows.length} rows could not be handled`,
    );
}
