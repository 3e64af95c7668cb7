// Who plays in a home, as far as the notes of living processes tell.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { homeAt, type Home } from '@makima/stack/home';
import { identify } from '@makima/stack/process-identity';
import { othersHere, signIn } from './guests.ts';

let home: Home;
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'makima guests ')));
});
afterEach(() => rmSync(home.root, { recursive: true, force: true }));

it('counts the others that live, neither itself nor the dead nor what is no note', async () => {
  expect(othersHere(home)).toBe(0);
  const signOut = signIn(home);
  expect(othersHere(home)).toBe(0);
  writeFileSync(join(home.run, 'demo-broken.json'), '{');
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(other, 'spawn');
  writeFileSync(join(home.run, `demo-${other.pid}.json`), JSON.stringify(identify(other.pid!)));
  expect(othersHere(home)).toBe(1);
  other.stdin.end();
  await once(other, 'exit');
  expect(othersHere(home)).toBe(0);
  signOut();
  expect(readdirSync(home.run)).not.toContain(`demo-${process.pid}.json`);
  expect(existsSync(home.run)).toBe(true);
});
