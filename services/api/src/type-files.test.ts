/** Types from a folder: taken, versioned, told of when they are wrong, and never over a person's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockOwnerForNames } from '@makima/db/repo/locks';
import { insertOwner } from '@makima/db/repo/keys';
import { inTransaction } from '@makima/db/tx';
import { testLog } from '@makima/runtime/test-log';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { createTypeFiles } from './type-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'type-files-'));
const put = (file: string, content: unknown): void =>
  writeFileSync(
    join(folder, file),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
const log = testLog();
let api: TestApi;
let look: () => Promise<void>;
beforeAll(async () => {
  api = await startTestApi();
  look = createTypeFiles({ engine: api.engine, log, folder });
});
afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

const send = (method: string, path: string, body?: object) =>
  api.send(method, `/api/v1${path}`, { key: api.ownerKey, body });
const type = async (name: string) => (await send('GET', `/contract-types/${name}`)).json;
const problems = () => log.lines.flatMap((line) => line['problem'] ?? []);

it('are taken with their name, in versions that running contracts keep', async () => {
  put('careful.json', { name: 'careful', phases: [{ name: 'one' }] });
  await look();
  expect(await type('careful')).toMatchObject({ version: 1, createdBy: 'file: careful.json' });
  const made = await send('POST', '/contracts', {
    name: 'keeps its own',
    description: 'd',
    contractType: 'careful',
    agent: 'scripted',
    repositories: [{ localPath: '/nowhere' }],
    start: false,
  });
  put('careful.json', { name: 'careful', phases: [{ name: 'one' }, { name: 'two' }] });
  await look();
  await look();
  expect(await type('careful')).toMatchObject({ version: 2 });
  const { phases } = (await send('GET', `/contracts/${made.json.id}`)).json;
  expect(phases).toEqual(['one']);
  expect(problems()).toEqual([]);
});

it('that are wrong stop no other, keep the version before, and are told once by file and field', async () => {
  put('broken.json', '{');
  put('careful.json', { name: 'careful', phases: [{ name: 'One' }] });
  put('simple.json', { name: 'simple', phases: [{ name: 'one' }] });
  put('fine.json', { name: 'fine', phases: [{ name: 'one' }] });
  for (let n = 0; n < 2; n += 1) await look();
  expect(problems()).toEqual([
    expect.stringMatching(/^broken\.json: is no JSON: /),
    'careful.json: phases.0.name: must be lower case with dashes',
    'simple.json: name: the type simple comes with makima',
  ]);
  expect(await type('careful')).toMatchObject({ version: 2 });
  expect(await type('fine')).toMatchObject({ version: 1 });
});

it('never replace what a person has defined, and the files stay until somebody renames them', async () => {
  const mine = { name: 'mine', phases: [{ name: 'one' }] };
  await send('POST', '/contract-types', mine);
  put('mine.json', { ...mine, phases: [{ name: 'other' }] });
  await look();
  expect(problems().at(-1)).toMatch(/^mine\.json: name: .* has defined a type mine, which stays$/);
  expect((await type('mine')).phases).toMatchObject([{ name: 'one' }]);
  // Also of a person who is called as a file would be.
  const { database } = api.engine;
  await database.sql`
    insert into contract_types (owner_id, name, version, definition, created_by)
    select owner_id, 'posed', 1, jsonb_set(definition, '{name}', '"posed"'), 'file: posed.json'
      from contract_types where owner_id = ${api.ownerId} and name = 'mine'`;
  put('posed.json', { name: 'posed', phases: [{ name: 'other' }] });
  await look();
  expect(problems().at(-1)).toMatch(
    /^posed\.json: name: .* has defined a type posed, which stays$/,
  );
  rmSync(join(folder, 'posed.json'));
});

it('are put once: a look that finds nothing new puts nothing, and a new owner gets what it lacks', async () => {
  const { database } = api.engine;
  // A put would wait for the owner's lock until it fails.
  await database.sql.begin(async (tx) => {
    await lockOwnerForNames(tx, { ownerId: api.ownerId });
    await look();
  });
  const { ownerId } = await inTransaction(database, (tx) =>
    insertOwner(tx, { name: 'later', userName: 'later' }),
  );
  for (let n = 0; n < 2; n += 1) await look();
  const theirs = await database.sql`
    select name, version, source_file from contract_types where owner_id = ${ownerId} order by name`;
  expect([...theirs]).toMatchObject([
    { name: 'fine', version: 1, sourceFile: 'fine.json' },
    { name: 'mine', version: 1, sourceFile: 'mine.json' },
  ]);
});

it('of two processes with different folders: the last change counts, and the other says so once', async () => {
  const readers = await Promise.all(
    ['mine', 'theirs'].map(async (name) => {
      const own = mkdtempSync(join(tmpdir(), `type-files-${name}-`));
      const ownLog = testLog();
      return {
        own,
        look: createTypeFiles({ engine: api.engine, log: ownLog, folder: own }),
        said: () => ownLog.lines.flatMap((line) => line['problem'] ?? []),
        say: (phase: string) =>
          writeFileSync(
            join(own, 'both.json'),
            JSON.stringify({ name: 'both', phases: [{ name: phase }] }),
          ),
      };
    }),
  );
  const [one, other] = readers as [(typeof readers)[0], (typeof readers)[0]];
  const lookAround = async () => {
    for (let n = 0; n < 3; n += 1) for (const reader of readers) await reader.look();
  };
  for (const reader of readers) reader.say('first');
  await lookAround();
  expect(await type('both')).toMatchObject({ version: 1 });
  other.say('second');
  await lookAround();
  expect(await type('both')).toMatchObject({ version: 2, phases: [{ name: 'second' }] });
  expect([one.said(), other.said()]).toEqual([
    ['both.json: name: version 2 of both, by file: both.json, counts until this file changes'],
    [],
  ]);
  one.say('third');
  await lookAround();
  expect(await type('both')).toMatchObject({ version: 3, phases: [{ name: 'third' }] });
  expect(other.said()).toHaveLength(1);
  for (const { own } of readers) rmSync(own, { recursive: true });
});
