/** `makima types put`: a contract type from a file, looked at here before it is sent. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { zContractTypeInput, type ContractTypeInput } from '@makima/contracts/entity/contract-type';
import { checkContractType, findType, typeOf } from '@makima/domain/contract-type';
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
  const shape = zContractTypeInput.safeParse(json(file, content));
  if (!shape.success) {
    const [issue] = shape.error.issues;
    const at = issue?.path.length === 0 ? '' : ` at ${issue?.path.join('.')}`;
    throw usageError(
      `${file} is no contract type${at}: ${issue?.message ?? ''}`,
      'see one:  makima types show specification -o json',
    );
  }
  const verdict = checkContractType(typeOf(shape.data.name, 1, shape.data.phases));
  if (!verdict.ok) throw usageError(`${file}: ${verdict.reason}`, 'mend it and put it again');
  if (findType(shape.data.name) !== undefined)
    throw usageError(
      `${file}: the type ${shape.data.name} comes with makima`,
      'choose another name',
    );
  return shape.data;
}

/** What `types show` prints may be changed and put again: what makima says of it is left out. */
function json(file: string, content: string): unknown {
  try {
    const value: unknown = JSON.parse(content);
    const own = without(value, ['version', 'builtin', 'createdBy', 'createdAt']);
    const phases = own instanceof Object && 'phases' in own ? own.phases : undefined;
    if (!Array.isArray(phases)) return own;
    return { ...(own as object), phases: phases.map((phase) => without(phase, ['terminal'])) };
  } catch (error) {
    throw usageError(
      `${file} is no JSON`,
      error instanceof Error ? error.message : 'it cannot be read',
    );
  }
}

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
