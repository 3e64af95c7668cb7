/**
 * Brings a database to the newest schema: all SQL folders of `migrations/` in order, each in a
 * transaction, under one advisory lock, so that any number of processes may start at once.
 *
 * Law: forward only; expand first, contract a release later.
 */
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

const lockKey = 7_234_017;
const migrationsFolder = new URL('../migrations', import.meta.url).pathname;

/**
 * @param url a role that may create tables.
 * @param options.connectForMs how long to wait for a server that is still starting.
 */
export async function migrate(url: string, options: { connectForMs?: number } = {}): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    await connected(client, options.connectForMs ?? 30_000);
    await client`select pg_advisory_lock(${lockKey})`;
    try {
      await applyMigrations(drizzle({ client }), {
        migrationsFolder: decodeURIComponent(migrationsFolder),
      });
    } finally {
      await client`select pg_advisory_unlock(${lockKey})`;
    }
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function connected(client: postgres.Sql, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  for (;;) {
    try {
      await client`select 1`;
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
