/** An incident is opened once and closed once, whichever transaction began first. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase, type Database } from './client.ts';
import { closeIncident, openIncident } from './repo/incidents.ts';
import { testHouse } from './test-house.ts';

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

it('is closed by a transaction that began before it was opened', async () => {
  const { ownerId, contract } = await testHouse(database);
  const key = { ownerId, kind: 'contract_ready', subject: contract.id };
  const closed = await database.sql.begin(async (early) => {
    await early`select clock()`;
    await database.sql.begin((late) => openIncident(late, { ...key, detail: {} }));
    return closeIncident(early, key);
  });
  expect(closed?.closedAt).toEqual(closed?.openedAt);
  expect(await database.sql.begin((tx) => closeIncident(tx, key))).toBeUndefined();
});
