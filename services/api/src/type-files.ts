/**
 * Contract types from a folder of files (MAKIMA_TYPES_DIR): read at the start and again while the process runs;
 * what changed becomes the next version of its type, for every owner.
 *
 * Law: a bad file stops nobody: it is told once by file and field, the others count, and the version before
 * stays.
 */
import {
  readTypeFile,
  typeFileWords,
  type TypeFile,
} from '@makima/contracts/entity/contract-type-file';
import { putTypeOfFile, type TypeOfFile } from '@makima/engine/contract-type/put';
import { ownersOf } from '@makima/engine/identity/ensure-owner';
import type { Engine } from '@makima/engine/context';
import { typeFolder } from '@makima/domain/contract-type';
import { isMakimaError } from '@makima/domain/error';
import type { Log } from '@makima/runtime/log';
import { readTextFiles, type TextFile } from '@makima/runtime/text-files';

export interface TypeFilesOptions {
  readonly engine: Engine;
  readonly log: Log;
  readonly folder: string;
}

/** One look at the folder; what was told of before is not told again. */
export function createTypeFiles(options: TypeFilesOptions): () => Promise<void> {
  const { engine, log, folder } = options;
  let told: ReadonlySet<string> = new Set();
  return async () => {
    const owners = await ownersOf(engine);
    const problems = new Set<string>();
    for (const found of await readTextFiles({ folder, ...typeFolder })) {
      const read = readOne(found);
      if (!read.ok) problems.add(typeFileWords(found.file, read));
      else {
        const of = { file: found.file, type: read.type };
        for (const problem of await putForAll(options, owners, of)) problems.add(problem);
      }
    }
    for (const problem of problems)
      if (!told.has(problem)) log.warn({ folder, problem }, 'a contract type was not taken');
    told = problems;
  };
}

const readOne = ({ text, problem }: TextFile): TypeFile =>
  text === null ? { ok: false, field: null, problem: problem ?? '' } : readTypeFile(text);

/** Answers what was refused. */
async function putForAll(
  { engine, log }: TypeFilesOptions,
  owners: readonly string[],
  of: TypeOfFile,
): Promise<string[]> {
  const refused: string[] = [];
  for (const ownerId of owners) {
    const caller = { kind: 'system', ownerId, name: 'type-files' } as const;
    try {
      const { type, isNew } = (await putTypeOfFile(engine, { caller }, of)).result;
      const { name, version } = type;
      if (isNew) log.info({ file: of.file, name, version }, 'a contract type was read');
    } catch (error) {
      if (!isMakimaError(error) || error.code === 'DEPENDENCY_UNAVAILABLE') throw error;
      refused.push(`${of.file}: ${error.message}`);
    }
  }
  return refused;
}
