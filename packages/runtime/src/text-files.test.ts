/** A folder of text files: in order, bounded, and what is wrong told by name. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readTextFiles } from './text-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'text-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const how = { folder, ending: '.json', filesMax: 5, bytesMax: 10 };

it('are read in order, and what cannot be read is told and hides no other', async () => {
  for (const [name, text] of [
    ['b.json', 'two'],
    ['a.json', 'one'],
    ['c.toml', 'other'],
    ['.hidden.json', 'x'],
    ['d.json', 'far too long'],
  ] as const)
    writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'e.json'));
  execFileSync('mkfifo', [join(folder, 'f.json')]);
  const fine = (file: string, text: string) => ({ file, text, problem: null });
  const bad = (file: string, problem: string) => ({ file, text: null, problem });
  expect(await readTextFiles(how)).toEqual([
    fine('a.json', 'one'),
    fine('b.json', 'two'),
    bad('d.json', 'is larger than 10 bytes'),
    bad('e.json', 'is no file'),
    bad('f.json', 'is no file'),
  ]);
  const few = await readTextFiles({ ...how, filesMax: 1 });
  expect(few).toEqual([fine('a.json', 'one'), bad(folder, expect.stringContaining('more than 1'))]);
  const nowhere = join(folder, 'nowhere');
  expect(await readTextFiles({ ...how, folder: nowhere })).toEqual([
    bad(nowhere, 'does not open: ENOENT'),
  ]);
});
