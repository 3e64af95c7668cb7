/**
 * A process that writes units of three rows in transactions, and reads, until its parent says stop; then it
 * tells which units it knows to be committed. Its parent kills its backends meanwhile.
 *
 * Law: nothing is caught that a service would not catch: an uncaught exception ends it with its exit code.
 */
import { openDatabase } from './client.ts';
import { inTransaction, reading } from './tx.ts';

/** What the process tells at its end. */
export interface UnitsTold {
  readonly committed: readonly string[];
  /** Transactions that were refused: nobody knows whether their last step was done. */
  readonly unknown: readonly string[];
  /** Runs of a transaction's function beyond the first. */
  readonly repeats: number;
  readonly failedReads: number;
}

const writers = 6;
const readers = 2;

async function run(url: string): Promise<UnitsTold> {
  const database = openDatabase(url, { max: writers + readers, name: 'units' });
  const committed: string[] = [];
  const unknown: string[] = [];
  let stopping = false;
  let repeats = 0;
  let failedReads = 0;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !stopping; n += 1) {
      const unit = `${writer}-${n}`;
      let runs = 0;
      try {
        await inTransaction(database, async (tx) => {
          runs += 1;
          await tx`insert into units values (${unit}, 1)`;
          await Promise.all([
            tx`insert into units values (${unit}, 2)`,
            tx`select pg_sleep(${(n % 5) / 1_000})`,
          ]);
          await tx`insert into units values (${unit}, 3)`;
        });
        committed.push(unit);
      } catch {
        unknown.push(unit);
      }
      repeats += Math.max(0, runs - 1);
    }
  };
  const read = async (): Promise<void> => {
    while (!stopping) {
      await reading(database, database.sql`select count(*), pg_sleep(0.002) from units`).catch(
        () => {
          failedReads += 1;
        },
      );
    }
  };
  process.once('message', () => {
    stopping = true;
  });
  process.send?.('ready');
  await Promise.all([
    ...Array.from({ length: writers }, (_, i) => write(i)),
    ...Array.from({ length: readers }, read),
  ]);
  await database.ping(5_000);
  await database.close();
  return { committed, unknown, repeats, failedReads };
}

const told = await run(process.argv[2] ?? '');
process.send?.(told, () => process.disconnect());
