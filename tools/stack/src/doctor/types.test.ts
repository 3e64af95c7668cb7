// What doctor says of a folder of contract types: each bad file by name and field.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { homeAt } from '../home.ts';
import { checkTypes } from './types.ts';

const folder = mkdtempSync(join(tmpdir(), 'doctor-types-'));
afterAll(() => rmSync(folder, { recursive: true }));
const check = (env: NodeJS.ProcessEnv) => checkTypes({ home: homeAt('/nonexistent'), env });

it('passes where there is none or each is right, and names what is wrong', async () => {
  expect(await check({})).toMatchObject({ status: 'pass' });
  const fine = { name: 'fine', phases: [{ name: 'one' }] };
  writeFileSync(join(folder, 'fine.json'), JSON.stringify(fine));
  const named = { MAKIMA_TYPES_DIR: folder };
  expect(await check(named)).toMatchObject({ status: 'pass', detail: `1 in ${folder}` });
  writeFileSync(join(folder, 'bad.json'), JSON.stringify({ ...fine, phases: [] }));
  expect(await check(named)).toMatchObject([
    { status: 'fail', detail: expect.stringMatching(/^bad\.json: phases: /) },
  ]);
  // Named by the file of settings as well, where the environment names none.
  const filed = { MAKIMA_CONFIG_FILE: join(folder, 'makima.toml') };
  writeFileSync(filed.MAKIMA_CONFIG_FILE, `[contracts]\ntypes_dir = ${JSON.stringify(folder)}\n`);
  expect(await check(filed)).toMatchObject([{ detail: expect.stringMatching(/^bad\.json: /) }]);
  writeFileSync(filed.MAKIMA_CONFIG_FILE, '[contracts]\ntypes_folder = "x"\n');
  expect(await check(filed)).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('contracts.types_folder is not a setting') },
  ]);
  expect(await check({ MAKIMA_TYPES_DIR: join(folder, 'nowhere') })).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('does not open') },
  ]);
});
