// Where a test server keeps its files: in memory if there is room, else in the temporary folder.
// Why: making a database writes 300 small files; in memory that is four times as fast.
// Law: what a killed run left behind is removed by the next one.
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const roomNeededBytes = 2 * 1024 ** 3;
const pattern = /^makima-scratch-(\d+)-/;

/** Makes a folder of this process's own. */
export const scratchFolder = (): string => {
  const root = hasRoom(memory) ? memory : tmpdir();
  removeOrphans(root);
  return mkdtempSync(join(root, `makima-scratch-${process.pid}-`));
};

const hasRoom = (dir: string): boolean => {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize >= roomNeededBytes;
  } catch {
    return false;
  }
};

const removeOrphans = (root: string): void => {
  for (const name of readdirSync(root)) {
    const pid = pattern.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(root, name), { recursive: true, force: true });
    } catch {
      // Another user's, or already being removed by another run.
    }
  }
};
