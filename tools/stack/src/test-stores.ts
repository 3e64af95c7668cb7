// Stores for one test: an empty migrated database, a Redis of its own, a Redis to break.
// Why: tests run against real stores and never see each other's rows.
// Law: a database is a copy of one template, file by file (a tenth of the processor time that a copy through
// the log takes), that is migrated once per server.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { checkout } from './checkout.ts';
import { askForPostgres } from './test-postgres-door.ts';
import { startTestRedis, type TestRedisOptions } from './test-servers.ts';

export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

export interface TestRedis {
  url: string;
  stop: () => Promise<void>;
}

/** A Redis whose faults the test commands. The URL stays the same through kill and restart. */
export interface SpareRedis extends TestRedis {
  pid: () => number;
  /** `kill -9`, and waits until the process is gone. */
  kill: () => Promise<void>;
  /** Kills it if it lives, starts it and waits until it answers. */
  restart: () => Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause: () => void;
  resume: () => void;
}

/** A new database with the newest schema on the Postgres of this test run. */
export const testDatabase = async (): Promise<TestDatabase> => {
  const server = await serverUrl();
  const template = await ensureTemplate(server);
  const name = `t_${randomBytes(8).toString('hex')}`;
  await onServer(
    server,
    (sql) => sql`create database ${sql(name)} template ${sql(template)} strategy file_copy`,
  );
  return {
    url: databaseUrl(server, name),
    drop: () =>
      onServer(server, async (sql) => {
        await sql`drop database if exists ${sql(name)} with (force)`;
      }),
  };
};

/** A new database without any schema. */
export const emptyDatabase = async (): Promise<TestDatabase> => {
  const server = await serverUrl();
  const name = `e_${randomBytes(8).toString('hex')}`;
  await onServer(server, (sql) => sql`create database ${sql(name)} strategy file_copy`);
  return {
    url: databaseUrl(server, name),
    drop: () =>
      onServer(server, async (sql) => {
        await sql`drop database if exists ${sql(name)} with (force)`;
      }),
  };
};

/** A private redis-server process. */
export const testRedis = async (): Promise<TestRedis> => {
  const { url, stop } = await startTestRedis();
  return { url, stop };
};

/** A private redis-server to kill, restart and pause; `durable` keeps its data through a restart. */
export const spareRedis = async (options: TestRedisOptions = {}): Promise<SpareRedis> => {
  const server = await startTestRedis(options);
  return {
    url: server.url,
    stop: server.stop,
    restart: server.restart,
    pid: () => server.process().pid,
    kill: () => server.process().end('SIGKILL'),
    pause: () => server.process().pause(),
    resume: () => server.process().resume(),
  };
};

let ownServer: Promise<string> | undefined;

/** The Postgres of this worker, or the one that is named from outside. */
const serverUrl = (): Promise<string> => {
  const { TEST_DATABASE_URL: named, TEST_POSTGRES_DOOR: door } = process.env;
  if (named) return Promise.resolve(named);
  if (!door) throw new Error('tests that need a Postgres are run with ./makima test');
  ownServer ??= askForPostgres(door, process.env.VITEST_POOL_ID ?? '');
  return ownServer;
};

const databaseUrl = (server: string, name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};

const onServer = async <T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
};

const templates = new Map<string, Promise<string>>();
const templateLock = 7_261_001;

const ensureTemplate = (server: string): Promise<string> => {
  const known = templates.get(server) ?? makeTemplate(server);
  templates.set(server, known);
  known.catch(() => templates.delete(server));
  return known;
};

/** The name carries a fingerprint of the migrations, so a server that lives longer is right too. */
const makeTemplate = (server: string): Promise<string> =>
  onServer(server, async (sql) => {
    const name = `template_${migrationsFingerprint()}`;
    await sql`select pg_advisory_lock(${templateLock})`;
    const [found] = await sql`select 1 from pg_database where datname = ${name}`;
    if (found) return name;
    const draft = `draft_${randomBytes(8).toString('hex')}`;
    await sql`create database ${sql(draft)} strategy file_copy`;
    const { migrate } = await import('@makima/db/migrate');
    await migrate(databaseUrl(server, draft));
    await sql`alter database ${sql(draft)} rename to ${sql(name)}`;
    return name;
  });

const migrationsFingerprint = (): string => {
  const hash = createHash('sha256');
  for (const dir of ['packages/db/migrations', 'packages/db/src/migrations']) {
    const root = join(checkout, dir);
    if (!existsSync(root)) continue;
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
      if (name.endsWith('.sql')) hash.update(name).update(readFileSync(join(root, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
};
