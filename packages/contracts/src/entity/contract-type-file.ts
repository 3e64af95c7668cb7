/**
 * A contract type as a file: read, and told what is wrong with it by field.
 *
 * Law: whoever reads one (the command line, the server's folder of types, doctor) judges by this, so that they
 * never differ.
 */
import { checkContractType, findType, typeOf } from '@makima/domain/contract-type';
import { zContractTypeInput, type ContractTypeInput } from './contract-type.ts';

export type TypeFile =
  | { readonly ok: true; readonly type: ContractTypeInput }
  /** `field` is a path as `phases.0.gate`; null: of the file as a whole. */
  | { readonly ok: false; readonly field: string | null; readonly problem: string };

/** What `makima types show` prints may be changed and read again: what makima says of it is left out. */
export function readTypeFile(content: string): TypeFile {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return wrong(
      null,
      `is no JSON: ${error instanceof Error ? error.message : 'it does not parse'}`,
    );
  }
  const shape = zContractTypeInput.safeParse(withoutWords(value));
  if (!shape.success) {
    const [issue] = shape.error.issues;
    const field = issue === undefined || issue.path.length === 0 ? null : issue.path.join('.');
    return wrong(field, issue?.message ?? 'is no contract type');
  }
  const { name, phases } = shape.data;
  const verdict = checkContractType(typeOf(name, 1, phases));
  if (!verdict.ok) return wrong('phases', verdict.reason);
  if (findType(name) !== undefined) return wrong('name', `the type ${name} comes with makima`);
  return { ok: true, type: shape.data };
}

/** In one line: `careful.json: phases.0.name: must be lower case with dashes`. */
export function typeFileWords(
  file: string,
  { field, problem }: Extract<TypeFile, { ok: false }>,
): string {
  return [file, ...(field === null ? [] : [field]), problem].join(': ');
}

const wrong = (field: string | null, problem: string): TypeFile => ({ ok: false, field, problem });

function withoutWords(value: unknown): unknown {
  const own = without(value, ['version', 'builtin', 'createdBy', 'createdAt']);
  const phases = own instanceof Object && 'phases' in own ? own.phases : undefined;
  if (!Array.isArray(phases)) return own;
  return { ...(own as object), phases: phases.map((phase) => without(phase, ['terminal'])) };
}

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
