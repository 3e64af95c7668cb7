/**
 * One transaction: the only way in which a verb writes. Errors of Postgres become makima's errors here,
 * once; a serialization failure, a deadlock or a connection that died before commit repeats the whole
 * function, which therefore must have no effect outside the transaction.
 *
 * Law: no network, queue or process is touched inside; what must follow is written to the outbox.
 */
import { MakimaError, isMakimaError } from '@makima/domain/error';
import { unavailable, withClientDeadline, type Database, type Tx } from './client.ts';

/** SQLSTATEs after which the same transaction may succeed at once. */
const repeatable = new Set(['40001', '40P01']);
/** SQLSTATEs and client codes that mean: the store is not there, is full, or is being changed. */
const absent = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '55P03',
  '53000',
  '53100',
  '53200',
  '53300',
  '25P03',
  '08000',
  '08003',
  '08006',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'UNSAFE_TRANSACTION',
]);

/** What a connection says that died; the server itself may be well. */
const died = new Set([
  '57P01',
  '57P02',
  '08003',
  '08006',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'ECONNRESET',
  'EPIPE',
]);

const tries = 4;

export async function inTransaction<T>(
  database: Database,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  for (let attempt = 1; ; attempt++) {
    // Once the commit is under way, nobody knows whether it happened: then it is the caller's to ask again.
    let committing = false;
    try {
      const run = database.sql.begin(async (tx) => {
        const result = await work(tx);
        committing = true;
        return result;
      }) as Promise<T>;
      // A run that outlives its deadline still settles later; nobody is listening then.
      run.catch(() => {});
      return await withClientDeadline(database.deadlineMs, run);
    } catch (error) {
      const state = sqlState(error) ?? '';
      const early = performance.now() - begun < database.deadlineMs / 2;
      const lost = !committing && early && died.has(state);
      if (attempt < tries && (lost || repeatable.has(state))) continue;
      throw translate(database, error);
    }
  }
}

/** The same for a read outside a transaction. */
export async function reading<T>(database: Database, work: PromiseLike<T>): Promise<T> {
  try {
    return await withClientDeadline(database.deadlineMs, work);
  } catch (error) {
    throw translate(database, error);
  }
}

/** SQLSTATE of Postgres, or the client's own code. */
export function sqlState(error: unknown): string | undefined {
  return typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Name of the constraint that a write broke. */
export function brokenConstraint(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'constraint_name' in error
    ? String(error.constraint_name)
    : undefined;
}

function translate(database: Database, error: unknown): unknown {
  if (isMakimaError(error)) {
    if (error.code === 'DEPENDENCY_UNAVAILABLE') database.suspect(error.message);
    return error;
  }
  const state = sqlState(error);
  if (state !== undefined && absent.has(state)) {
    return unavailable('the store is not available', error);
  }
  if (state !== undefined && repeatable.has(state)) {
    return unavailable('others were changing the same rows', error);
  }
  if (state === '23505' || state === '23514' || state === '23503') {
    const constraint = brokenConstraint(error) ?? 'a constraint';
    return new MakimaError('CONFLICT', `the change would break ${constraint}`, {
      details: { constraint },
      cause: error,
    });
  }
  return error;
}
