/** The database's clock, moved by a test: every deadline moves along, for every connection at once. */
import type { TestEngine } from './test-engine.ts';

export async function moveClock(t: Pick<TestEngine, 'database'>, offset: string): Promise<void> {
  await t.database.sql.unsafe(
    `create or replace function clock() returns timestamptz language sql stable parallel safe
       as $$ select now() + interval '${offset}' $$`,
  );
}
