// Small file systems under parts of a home (tmpfs), which can be filled to the last byte and emptied again.
// Why: what a store or a daemon does on a full disk is shown by a full disk alone.
// Law: a machine that lets nobody mount says so and the run fails; nothing is left mounted.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Home } from '@makima/stack/home';

export type DiskPart = 'postgres' | 'redis' | 'daemon';

export interface Disk {
  /** Takes all that is free. */
  fill(): void;
  free(): void;
}

interface Disks {
  readonly all: ReadonlyMap<DiskPart, Disk>;
  /** Has the parts of this home lie on their disks. */
  lay(home: Home): void;
  close(): void;
}

export function openDisks(
  wanted: Readonly<Partial<Record<DiskPart, number>>>,
  scratch: string,
): Disks {
  const places = new Map<DiskPart, string>();
  const disks = new Map<DiskPart, Disk>();
  const close = (): void => {
    for (const place of places.values()) unmount(place);
  };
  for (const [part, bytes] of Object.entries(wanted) as [DiskPart, number][]) {
    const place = join(scratch, `disk-${part}`);
    mkdirSync(place, { mode: 0o700 });
    mount(place, bytes);
    places.set(part, place);
    disks.set(part, diskAt(place));
  }
  if (places.size > 0) process.once('exit', close);
  return {
    all: disks,
    lay(home) {
      for (const [part, place] of places) {
        const data = join(place, 'data');
        mkdirSync(data, { mode: 0o700 });
        mkdirSync(dirname(home[part]), { recursive: true, mode: 0o700 });
        symlinkSync(data, home[part]);
      }
    },
    close,
  };
}

function mount(place: string, bytes: number): void {
  try {
    const options = `size=${bytes},mode=0700`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'makima-chaos', place], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(
      'this row cannot run here: it needs a file system of its own, and this user may not mount one (run it as root, or in a container that may)',
      { cause: error },
    );
  }
}

function unmount(place: string): void {
  try {
    execFileSync('umount', ['--lazy', place], { stdio: 'pipe' });
  } catch {
    // It is not mounted any more.
  }
}

const pieceBytes = 256 * 1024;

function diskAt(place: string): Disk {
  const ballast = join(place, 'ballast');
  return {
    fill() {
      const file = openSync(ballast, 'a', 0o600);
      try {
        for (let bytes = pieceBytes; bytes >= 1; bytes = Math.floor(bytes / 2))
          while (fits(file, bytes));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
  };
}

function fits(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch {
    return false;
  }
}
