/** The migrations apply, and what the guards refuse is refused whoever writes it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase, type Database } from './client.ts';

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

  it('have a clock that a test can move', async () => {
    const [row] = await database.sql<{ ahead: boolean }[]>`
      with moved as (select set_config('makima.clock_offset', '1 hour', false))
      select clock() > now() + interval '59 minutes' as ahead from moved, clock()`;
    expect(row).toBeDefined();
    await database.sql`select set_config('makima.clock_offset', '', false)`;
  });

  it('name the timeline', async () => {
    const rows = await database.sql`select value from meta where key = 'timeline'`;
    expect(rows[0]?.value).toMatch(/^[0-9a-f-]{36}$/);
  });
});
