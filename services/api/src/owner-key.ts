/**
 * The key of the first start: made once, given out once.
 *
 * Law: into the named file, readable by its user alone, or once to standard output; never into the log.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { ensureOwner } from '@makima/engine/identity/ensure-owner';
import type { Engine } from '@makima/engine/context';
import type { Log } from '@makima/runtime/log';

export interface FirstStart {
  readonly engine: Engine;
  readonly log: Log;
  readonly keyFile: string | undefined;
  /** Standard output, when there is no file. */
  readonly print: (text: string) => void;
}

/** Make sure that there is an owner; on the first start hand out the key. Safe with several processes. */
export async function prepareOwner(start: FirstStart): Promise<void> {
  const { ownerKey } = await ensureOwner(start.engine, (key) => handOut(start, key));
  if (ownerKey === null || start.keyFile === undefined) return;
  start.log.info({ file: start.keyFile }, 'wrote the owner key of the first start');
}

async function handOut({ keyFile, print }: FirstStart, key: string): Promise<void> {
  if (keyFile === undefined) {
    print(`\nThe owner key of this installation, shown this once:\n\n  ${key}\n\n`);
    return;
  }
  await writePrivate(keyFile, `${key}\n`);
}

/** Whole or not at all, and never readable by others, not even for a moment. */
async function writePrivate(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
