/**
 * The text files of a folder, for settings that are files: in the order of their names, each with its text or
 * with what is wrong with it.
 *
 * Law: bounded in number and size; one that cannot be read hides no other.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface TextFolder {
  readonly folder: string;
  /** As `.json`; others are passed over. */
  readonly ending: string;
  readonly filesMax: number;
  readonly bytesMax: number;
}

export interface TextFile {
  readonly file: string;
  /** Null when there is a problem. */
  readonly text: string | null;
  readonly problem: string | null;
}

/** A folder that does not open is one problem, under its own name. */
export async function readTextFiles(of: TextFolder): Promise<readonly TextFile[]> {
  let names: string[];
  try {
    names = await readdir(of.folder);
  } catch (error) {
    return [trouble(of.folder, `does not open: ${codeOf(error)}`)];
  }
  const files = names
    .filter((name) => extname(name) === of.ending && !name.startsWith('.'))
    .toSorted();
  const read = await Promise.all(files.slice(0, of.filesMax).map((file) => readOne(of, file)));
  if (files.length <= of.filesMax) return read;
  return [...read, trouble(of.folder, `has more than ${of.filesMax} files; the rest is not read`)];
}

async function readOne({ folder, bytesMax }: TextFolder, file: string): Promise<TextFile> {
  const path = join(folder, file);
  try {
    const found = await stat(path);
    // A pipe would be waited for, for ever.
    if (!found.isFile()) return trouble(file, 'is no file');
    if (found.size > bytesMax) return trouble(file, `is larger than ${bytesMax} bytes`);
    return { file, text: await readFile(path, 'utf8'), problem: null };
  } catch (error) {
    return trouble(file, `does not open: ${codeOf(error)}`);
  }
}

const trouble = (file: string, problem: string): TextFile => ({ file, text: null, problem });

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? 'it cannot be read';
