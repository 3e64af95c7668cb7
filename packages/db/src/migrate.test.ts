/** The migrations apply, once, however many processes start at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyDatabase, testDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase, type Database } from './client.ts';
import { migrate } from './migrate.ts';

describe('migrations', () => {
  let store: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    store = await testDatabase();
    database = openDatabase(store.url, { max: 2 });
  });
  afterAll(async () => {
    await database.close();
    await store.drop();
  });

  const ownerNamed = async (name: string): Promise<string> => {
    const [owner] = await database.sql<
      { id: string }[]
    >`insert into owners (name) values (${name}) returning id`;
    return owner?.id ?? '';
  };

  it('have a clock that a test can move', async () => {
    await database.sql.begin(async (tx) => {
      await tx`set local makima.clock_offset = '1 hour'`;
      const [row] = await tx<
        { ahead: boolean }[]
      >`select clock() - now() = interval '1 hour' as ahead`;
      expect(row).toEqual({ ahead: true });
    });
    const [row] = await database.sql`select clock() = now() as same`;
    expect(row).toEqual({ same: true });
  });

  it('name the timeline', async () => {
    const rows = await database.sql`select value from meta where key = 'timeline'`;
    expect(rows[0]?.['value']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('Backfill runs correctly: what was there is counted', async () => {
    const { sql } = database;
    const ownerId = await ownerNamed('early');
    const put = (slug: string, status: string) => sql`
      insert into contracts (owner_id, slug, name, description, contract_type, phase, guarded_phases, status, agent)
      values (${ownerId}, ${slug}, 'n', 'd', '{"name":"simple","phases":[]}', 'plan', '{}', ${status}, 'scripted')`;
    await put('a', 'completed');
    await put('b', 'completed');
    await put('c', 'archived');
    const counts = () => sql`
      select one, sum(n)::int as n from tallies where owner_id = ${ownerId} group by one order by one`;
    const counted = await counts();
    expect(counted).toEqual([
      { one: 'archived', n: 1 },
      { one: 'completed', n: 2 },
    ]);
    // As it was before there were counts; then what the migration does for rows that are there.
    await sql`delete from tallies`;
    const statements = statementsOf('tallies').filter((statement) =>
      statement.trim().startsWith('INSERT INTO tallies'),
    );
    expect(statements).toHaveLength(3);
    for (const statement of statements) await sql.unsafe(statement);
    expect(await counts()).toEqual(counted);
  });

  it('Backfill runs correctly: a type that came from a file is known by it, a person’s is not', async () => {
    const { sql } = database;
    const ownerId = await ownerNamed('typed');
    await sql`
      insert into contract_types (owner_id, name, version, definition, created_by)
      select ${ownerId}, name, 1, '{}', created_by
        from (values ('a', 'file: a.json'), ('b', 'Ada')) as t(name, created_by)`;
    const [, ...statements] = statementsOf('types_of_files');
    expect(statements).toHaveLength(3);
    for (const statement of statements) await sql.unsafe(statement);
    const rows = await sql`
      select name, source_file from contract_types where owner_id = ${ownerId} order by name`;
    expect([...rows]).toEqual([
      { name: 'a', sourceFile: 'a.json' },
      { name: 'b', sourceFile: null },
    ]);
    // It is as strict as before.
    const rewritten = sql`update contract_types set created_by = 'x' where owner_id = ${ownerId}`;
    await expect(rewritten).rejects.toMatchObject({ code: '23514' });
  });

  it('find nothing left to do the second time', async () => {
    await migrate(store.url);
    expect(await applied(store.url)).toHaveLength(onDisk());
  });
});

/** Of the migration of this name. */
function statementsOf(migration: string): string[] {
  const folder = join(import.meta.dirname, '../migrations');
  const [found = ''] = readdirSync(folder).filter((name) => name.endsWith(`_${migration}`));
  return readFileSync(join(folder, found, 'migration.sql'), 'utf8').split(
    '--> statement-breakpoint',
  );
}

it('are applied once by ten processes at once, told by environment or by file', async () => {
  const store = await emptyDatabase();
  const dir = mkdtempSync(join(tmpdir(), 'makima-migrate-'));
  const file = join(dir, 'url');
  writeFileSync(file, `${store.url}\n`);
  try {
    const cli = new URL('migrate-cli.ts', import.meta.url).pathname;
    const children = Array.from({ length: 10 }, (_, n) =>
      spawn(process.execPath, [cli], {
        env: {
          ...process.env,
          ...(n % 2 === 0 ? { DATABASE_URL: store.url } : { DATABASE_URL_FILE: file }),
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    );
    const ends = await Promise.all(children.map((child) => once(child, 'exit')));
    expect(ends.map(([code]) => code as unknown)).toEqual(Array(10).fill(0));
    const rows = await applied(store.url);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows).toHaveLength(onDisk());
  } finally {
    rmSync(dir, { recursive: true });
    await store.drop();
  }
});

const onDisk = (): number => readdirSync(new URL('../migrations', import.meta.url)).length;

async function applied(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const rows = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations`;
    return rows.map((row) => row.hash);
  } finally {
    await sql.end();
  }
}
