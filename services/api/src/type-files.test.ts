/** Types from a folder: taken, versioned, told of when they are wrong, and never over a person's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
});
