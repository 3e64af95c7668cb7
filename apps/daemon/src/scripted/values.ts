/**
 * Variables of a script: `${name.path}` filled in, and arguments read with their type.
 *
 * Law: an unknown variable is a failure that names it and those that exist, never an empty word. `$${` is a
 * literal `${`.
 */
import { isPlain } from './script.ts';

export type Variables = Readonly<Record<string, unknown>>;

export class StepFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StepFailure';
  }
}

const reference = /\$?\$\{([^}]*)\}/g;
const whole = /^\$\{([^}]*)\}$/;

/** Fills in every reference below `value`. A string that is one reference keeps the value's type. */
export function fillIn(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return fillInText(value, variables);
  if (Array.isArray(value)) return value.map((item) => fillIn(item, variables));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillIn(item, variables)]),
  );
}

function fillInText(text: string, variables: Variables): unknown {
  const only = whole.exec(text);
  if (only !== null) return lookUp(only[1] ?? '', variables);
  return text.replaceAll(reference, (match, path: string) => {
    if (match.startsWith('$${')) return match.slice(1);
    const value = lookUp(path, variables);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** @throws StepFailure when the path leads nowhere. */
export function lookUp(path: string, variables: Variables): unknown {
  const value = find(path, variables);
  if (value !== undefined) return value;
  const known = Object.keys(variables).join(', ') || 'none';
  throw new StepFailure(`There is no value for \${${path}}. Variables: ${known}.`);
}

/** The value at `a.b.0.c`, or undefined. */
export function find(path: string, variables: Variables): unknown {
  let at: unknown = variables;
  for (const part of path.trim().split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

export type Arguments = Readonly<Record<string, unknown>>;

export function textOf(args: Arguments, key: string): string {
  const value = args[key];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new StepFailure(`"${key}" must be text.`);
}

export function optionalText(args: Arguments, key: string): string | undefined {
  return args[key] === undefined ? undefined : textOf(args, key);
}

export function numberOf(args: Arguments, key: string, otherwise?: number): number {
  const value = args[key] ?? otherwise;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
  throw new StepFailure(`"${key}" must be a number, not below 0.`);
}

/** A list; one value alone is a list of it. */
export function listOf(args: Arguments, key: string): readonly unknown[] {
  const value = args[key];
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

export function textsOf(args: Arguments, key: string): readonly string[] {
  return listOf(args, key).map((item) => textOf({ [key]: item }, key));
}

/** Whether a `when` or `if` holds. Empty, zero, false and "false" do not. */
export function holds(args: Arguments, variables: Variables): boolean {
  if (args.exists !== undefined) return find(textOf(args, 'exists'), variables) !== undefined;
  if (args.equals !== undefined) return sameAll(listOf(args, 'equals'));
  if (args.not_equals !== undefined) return !sameAll(listOf(args, 'not_equals'));
  const { value } = args;
  return Boolean(value) && value !== 'false' && value !== '0';
}

function sameAll(values: readonly unknown[]): boolean {
  const words = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return words.every((word) => word === words[0]);
}
