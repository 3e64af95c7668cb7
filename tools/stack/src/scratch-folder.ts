// Where a test server keeps its files: in memory if there is room, else in the temporary folder.
// Why: making a database writes 300 small files; in memory that is four times as fast.
// Law: what a killed run left behind is removed by the next one that can tell: whether a process lives is seen
// in its own pid namespace alone, and a container may share this memory with others.
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const roomNeededBytes = 2 * 1024 ** 3;
const pattern = /^makima-stores-(\d+)-(\d+)-/;

const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';

/** Makes a folder of this process's own. */
export const scratchFolder = (): string => {
  const root = hasRoom(memory) ? memory : tmpdir();
  removeOrphans(root);
  return mkdtempSync(join(root, `makima-stores-${namespace}-${process.pid}-`));
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
    const [, where, pid] = pattern.exec(name) ?? [];
    if (where !== namespace || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(root, name), { recursive: true, force: true });
    } catch {
      // Another user's, or already being removed by another run.
    }
  }
};
