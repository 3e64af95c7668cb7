/** A daemon's folder shields the repositories that stand in it from the project that it may lie in. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { homeAt, takeHome } from './home.ts';

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'makima-home-'));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

it('lets a file be what its own repository says, though a project around the folder says otherwise', () => {
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const home = homeAt(join(project, '.makima', 'daemon'));
  const giveBack = takeHome(home);
  const work = join(home.git, 'work', 'a-task');
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, 'part.js'), 'module.exports = 1;\n');
  writeFileSync(join(work, 'check.js'), "console.log(require('./part.js'));\n");
  const printed = execFileSync(process.execPath, ['--', 'check.js'], { cwd: work });
  expect(printed.toString()).toBe('1\n');
  giveBack();
});
