// Who plays a demo in this home now.
// Why: a second demo joins the makima that the first one started, and must not lose it in its middle.
// Law: a demo that died counts no more: its process identity tells.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '@makima/stack/home';
import { identify, isAlive, type ProcessIdentity } from '@makima/stack/process-identity';

const prefix = 'demo-';

/** Notes that this process plays here. Returns how to take the note away. */
export function signIn(home: Home): () => void {
  mkdirSync(home.run, { recursive: true, mode: 0o700 });
  const file = join(home.run, `${prefix}${process.pid}.json`);
  writeFileSync(file, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** How many other demos play here. */
export function othersHere(home: Home): number {
  return notesOf(home).filter((one) => one.pid !== process.pid && isAlive(one)).length;
}

function notesOf(home: Home): readonly ProcessIdentity[] {
  try {
    return readdirSync(home.run)
      .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
      .flatMap((name) => readNote(join(home.run, name)));
  } catch {
    return [];
  }
}

function readNote(file: string): readonly ProcessIdentity[] {
  try {
    return [JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity];
  } catch {
    return [];
  }
}
