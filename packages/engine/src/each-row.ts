/**
 * Rows that a sweep found, one after the other: what one of them cannot bear keeps none of the others.
 *
 * Law: every row is tried; the errors come together, at the end, for the log of whoever sweeps.
 */
export async function eachRow<R>(
  rows: readonly R[],
  work: (row: R) => Promise<unknown>,
): Promise<void> {
  const errors: unknown[] = [];
  for (const row of rows) {
    try {
      await work(row);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(
      errors,
      `${errors.length} of ${rows.length} rows could not be handled`,
    );
}
