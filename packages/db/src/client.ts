/**
 * The connection to Postgres: one pool per process, statements with a limit on the server and a deadline
 * on the client, and a verdict on whether the pool can still be trusted.
 *
 * Law: nothing outside `db` speaks SQL; a query that outlives its deadline makes the pool suspect, and a
 * pool that is suspect three times in 30 s makes the process unready.
 */
import postgres from 'postgres';
import { MakimaError } from '@makima/domain/error';

/** Rows come in camelCase; `bigint` as a number (no sequence here leaves 2^53), moments as Date. */
export type Sql = postgres.Sql<{ bigint: number }>;
export type Tx = postgres.TransactionSql<{ bigint: number }>;
/** What a repo function takes: a transaction, or the pool for a single read. */
export type Queryable = Sql | Tx;

export interface DatabaseOptions {
  /** Connections in the pool. */
  readonly max?: number;
  /** Longest a transaction or query may take on the client's side. */
  readonly deadlineMs?: number;
  /** Longest a statement waits for a row that another transaction holds. */
  readonly lockTimeoutMs?: number;
  /** Shown in pg_stat_activity. */
  readonly name?: string;
  /** Told when the pool has been suspect three times in 30 s: the process should end. */
  readonly onBroken?: (reason: string) => void;
}

export interface Database {
  readonly sql: Sql;
  readonly deadlineMs: number;
  /** Reports that a query outlived its deadline. */
  suspect(reason: string): void;
  /** Throws when Postgres does not answer in time. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const suspectWindowMs = 30_000;
const suspectsUntilBroken = 3;

export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const deadlineMs = options.deadlineMs ?? 8_000;
  const sql: Sql = postgres(url, {
    max: options.max ?? 10,
    connect_timeout: 5,
    idle_timeout: 60,
    max_lifetime: 1_800,
    // Seconds between attempts to connect; the client's own would grow to 20 s after an outage.
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 1) * (0.5 + Math.random() / 2),
    onnotice: () => {},
    transform: { column: { to: postgres.fromCamel, from: postgres.toCamel } },
    types: {
      bigint: { to: 20, from: [20], parse: Number, serialize: (value: number) => String(value) },
    },
    connection: {
      application_name: options.name ?? 'makima',
      statement_timeout: 5_000,
      lock_timeout: options.lockTimeoutMs ?? 2_000,
      idle_in_transaction_session_timeout: 10_000,
      // A process that was cut off gives back its locks; the pool lets go of idle connections before.
      idle_session_timeout: 90_000,
    },
  });
  let suspects: number[] = [];
  return {
    sql,
    deadlineMs,
    suspect(reason) {
      const now = performance.now();
      suspects = [...suspects.filter((at) => now - at < suspectWindowMs), now];
      if (suspects.length >= suspectsUntilBroken) options.onBroken?.(reason);
    },
    async ping(timeoutMs) {
      await withClientDeadline(timeoutMs, sql`select 1`);
    },
    async close() {
      await sql.end({ timeout: 2 });
    },
  };
}

/** Race a query with a timer of our own: a frozen server never fires its own statement_timeout. */
export async function withClientDeadline<T>(timeoutMs: number, work: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(unavailable(`no answer from Postgres within ${timeoutMs} ms`)),
          timeoutMs,
        );
        timer.unref();
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** The store cannot answer right now; the same request may succeed soon. */
export function unavailable(message: string, cause?: unknown): MakimaError {
  return new MakimaError('DEPENDENCY_UNAVAILABLE', message, {
    retryable: true,
    fix: 'try again in a few seconds; `makima status` shows what is down',
    cause,
  });
}
