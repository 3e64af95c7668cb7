/** What the database refuses of questions: a second answer, a way back, a person's gate that answers itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase, type Database } from './client.ts';
import { refused, testHouse } from './test-house.ts';

let store: TestDatabase;
let database: Database;
beforeAll(async () => {
  store = await testDatabase();
  database = openDatabase(store.url, { max: 4 });
});
afterAll(async () => {
  await database.close();
  await store.drop();
});

it('only what an agent asked by its own means, and broke off, is asked again', async () => {
  const h = await testHouse(database);
  const { sql } = database;
  const withdrawn = async (askKey: string | null) => {
    const [row] = await sql<{ id: string }[]>`
      insert into questions (owner_id, contract_id, task_id, question, ask_key, status)
      values (${h.ownerId}, ${h.contract.id}, ${h.task.id}, 'q', ${askKey}, 'cancelled') returning id`;
    return row?.id ?? '';
  };
  const reopen = (id: string) => sql`update questions set status = 'open' where id = ${id}`;
  await refused(reopen(await withdrawn(null)), 'questions_answered_once');
  expect((await reopen(await withdrawn('toolu_1'))).count).toBe(1);
});

it('nothing that only a person may decide has a default', async () => {
  const h = await testHouse(database);
  const byItself = (type: string, phaseguard: boolean) => database.sql`
    insert into questions (owner_id, contract_id, task_id, question, question_type, phaseguard, default_answer)
    values (${h.ownerId}, ${h.contract.id}, ${h.task.id}, 'q', ${type}, ${phaseguard}, 'yes')`;
  await refused(byItself('phase_confirmation', false), 'questions_default');
  await refused(byItself('permission', false), 'questions_default');
  await refused(byItself('general', true), 'questions_default');
  expect((await byItself('general', false)).count).toBe(1);
});
