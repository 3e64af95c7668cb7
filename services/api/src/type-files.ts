/**
 * Contract types from a folder of files (MAKIMA_TYPES_DIR): read at the start and again while the process runs;
 * what changed becomes the next version of its type, for every owner.
 *
 * Law: a bad file stops nobody: it is told once by file and field, the others count, and the version before
 * stays. A process puts the same content once for an owner: two that read different folders do not take turns,
 * the last change counts, and who reads something else says so.
 */
import { createHash } from 'node:crypto';
import { readTypeFile, typeFileWords } from '@makima/contracts/entity/contract-type-file';
import {
  putTypeOfFile,
  typesThatDiffer,
  type TypeDiffers,
  type TypeOfFile,
} from '@makima/engine/contract-type/put';
import type { Engine } from '@makima/engine/context';
import { typeFolder } from '@makima/domain/contract-type';
import { isMakimaError } from '@makima/domain/error';
import type { Log } from '@makima/runtime/log';
import { readTextFiles } from '@makima/runtime/text-files';

export interface TypeFilesOptions {
  readonly engine: Engine;
  readonly log: Log;
  readonly folder: string;
}

/** One content of a file, and what came of it. */
interface Content {
  readonly sha256: string;
  /** Whether every owner had it, or a word of why not, at some look of this process. */
  isSettled: boolean;
  /** By owner. */
  readonly refused: Map<string, string>;
}

/** One look at the folder; what was told of before is not told again. */
export function createTypeFiles(options: TypeFilesOptions): () => Promise<void> {
  const { engine, log, folder } = options;
  let told: ReadonlySet<string> = new Set();
  let known: ReadonlyMap<string, Content> = new Map();
  return async () => {
    const { types, problems } = await readTypes(folder);
    known = new Map(types.map((of) => [of.file, contentOf(of, known.get(of.file))]));
    const differing = types.length === 0 ? [] : await typesThatDiffer(engine, types);
    for (const of of types) {
      const content = known.get(of.file) as Content;
      for (const differs of differing.filter(({ file }) => file === of.file)) {
        const problem = await settle(options, { of, content, differs });
        if (problem !== undefined) problems.add(`${of.file}: ${problem}`);
      }
      content.isSettled = true;
    }
    for (const problem of problems)
      if (!told.has(problem)) log.warn({ folder, problem }, 'a contract type was not taken');
    told = problems;
  };
}

async function readTypes(folder: string): Promise<{ types: TypeOfFile[]; problems: Set<string> }> {
  const types: TypeOfFile[] = [];
  const problems = new Set<string>();
  for (const { file, text, problem } of await readTextFiles({ folder, ...typeFolder })) {
    const read =
      text === null
        ? ({ ok: false, field: null, problem: problem ?? '' } as const)
        : readTypeFile(text);
    if (read.ok) types.push({ file, type: read.type });
    else problems.add(typeFileWords(file, read));
  }
  return { types, problems };
}

/** A content that changed is a new one for every owner. */
function contentOf({ type }: TypeOfFile, before: Content | undefined): Content {
  const sha256 = createHash('sha256').update(JSON.stringify(type)).digest('hex');
  return before?.sha256 === sha256 ? before : { sha256, isSettled: false, refused: new Map() };
}

interface Settling {
  readonly of: TypeOfFile;
  readonly content: Content;
  readonly differs: TypeDiffers;
}

/** Puts what is new to this process, or missing at this owner. Answers why the file does not count. */
async function settle(
  options: TypeFilesOptions,
  { of, content, differs: { ownerId, version, createdBy } }: Settling,
): Promise<string | undefined> {
  if (content.isSettled && version !== null)
    return (
      content.refused.get(ownerId) ??
      `name: version ${version} of ${of.type.name}, by ${createdBy}, counts until this file changes`
    );
  const refusal = await putFor(options, ownerId, of);
  if (refusal === undefined) content.refused.delete(ownerId);
  else content.refused.set(ownerId, refusal);
  return refusal;
}

/** Answers why it was refused. */
async function putFor(
  { engine, log }: TypeFilesOptions,
  ownerId: string,
  of: TypeOfFile,
): Promise<string | undefined> {
  const caller = { kind: 'system', ownerId, name: 'type-files' } as const;
  try {
    const { type, isNew } = (await putTypeOfFile(engine, { caller }, of)).result;
    const { name, version } = type;
    if (isNew) log.info({ file: of.file, name, version }, 'a contract type was read');
    return undefined;
  } catch (error) {
    if (!isMakimaError(error) || error.code === 'DEPENDENCY_UNAVAILABLE') throw error;
    return error.message;
  }
}
