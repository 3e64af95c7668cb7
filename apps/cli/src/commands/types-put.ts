/** `makima types put`: a contract type from a file, looked at here before it is sent. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ContractTypeInput } from '@makima/contracts/entity/contract-type';
import { readTypeFile, typeFileWords } from '@makima/contracts/entity/contract-type-file';
import { tellDone } from '../act.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [file]: readonly [string],
  options: { readonly check?: true },
): Promise<void> {
  const type = parsed(file, await contentOf(shell, file));
  if (options.check === true) {
    tellDone(shell, type, `${file} is right: ${type.name} with ${type.phases.length} phases`);
    return;
  }
  const client = await shell.connect();
  const made = await client.call('putContractType', { body: type });
  tellDone(shell, made, `${made.name} is version ${made.version}`);
}

async function contentOf(shell: Shell, file: string): Promise<string> {
  if (file === '-') return text(shell.io.stdin);
  try {
    return await readFile(resolve(shell.io.cwd, file), 'utf8');
  } catch (error) {
    throw usageError(
      `${file} cannot be read`,
      error instanceof Error ? error.message : String(error),
    );
  }
}

function parsed(file: string, content: string): ContractTypeInput {
  const read = readTypeFile(content);
  if (read.ok) return read.type;
  throw usageError(typeFileWords(file, read), 'see one:  makima types show specification -o json');
}
