/**
 * Settings of a process: one zod object per process, keys = names of environment variables, every field
 * with a meaning. Read once in `main.ts`; a wrong environment ends the start with one error that lists
 * everything that is wrong, not the first thing.
 *
 * A secret may be handed over by a file that `<NAME>_FILE` names: an environment is read by every process of
 * the same user, and by `ps`.
 *
 * Law: values are never echoed, they may be secrets. An empty variable counts as not set.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export type ConfigShape = Record<string, z.ZodType>;

/** What is wrong with one variable. */
export interface ConfigProblem {
  readonly name: string;
  readonly meaning: string;
  readonly problem: string;
}

/** How a process ends that its settings do not fit: starting it again is of no use before a person has mended them. */
export const badSettingsExitCode = 2;

/** Thrown by `readConfig`; its message is the whole story for a terminal. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map((p) => `  ${p.name}: ${p.problem}${p.meaning && ` (${p.meaning})`}`);
    super(`The settings do not fit:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Read the variables that `schema` names from `env`, and secrets from their files.
 * @throws ConfigError listing every bad or missing variable with its meaning.
 */
export function readConfig<S extends ConfigShape>(
  schema: z.ZodObject<S>,
  env: Readonly<Record<string, string | undefined>>,
): z.infer<z.ZodObject<S>> {
  const given: Record<string, string> = {};
  const unread = new Map<string, string>();
  for (const [name, field] of Object.entries(schema.shape)) {
    const value = isSecret(field) ? givenSecret(name, env) : { text: env[name]?.trim() };
    if ('problem' in value) unread.set(name, value.problem);
    else if (value.text) given[name] = value.text;
  }
  const result = schema.safeParse(given, { reportInput: false });
  if (result.success && unread.size === 0) return result.data;
  const problemOf = (name: string, issue: string): string => {
    if (name in given || !(name in schema.shape)) return issue;
    return isSecret(schema.shape[name]) ? `is not set, nor is ${fileOf(name)}` : 'is not set';
  };
  const named = (name: string, problem: string): ConfigProblem => ({
    name,
    meaning: schema.shape[name]?.description ?? '',
    problem,
  });
  const issues = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    return named(name, problemOf(name, issue.message));
  });
  throw new ConfigError([
    ...issues.filter(({ name }) => !unread.has(name)),
    ...[...unread].map(([name, problem]) => named(name, problem)),
  ]);
}

/** The variable that names a file with a secret in it. */
export const fileOf = (name: string): string => `${name}_FILE`;

/** A secret as it stands in the environment or in its file; empty counts as not set in the first alone. */
function givenSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string | undefined } | { readonly problem: string } {
  const text = env[name]?.trim();
  const file = env[fileOf(name)]?.trim();
  if (!file) return { text };
  if (text) return { problem: `is set, and so is ${fileOf(name)}: take one away` };
  try {
    const kept = readFileSync(file, 'utf8').trim();
    return kept === '' ? { problem: `the file of ${fileOf(name)} is empty` } : { text: kept };
  } catch (error) {
    const { code = 'it cannot be read' } = error as NodeJS.ErrnoException;
    return { problem: `the file of ${fileOf(name)} does not open: ${code}` };
  }
}

/** One setting as documentation: a row of the reference, a paragraph of `.env.example`. */
export interface ConfigField {
  readonly name: string;
  readonly meaning: string;
  /** Whether the process refuses to start without it. */
  readonly required: boolean;
  /** As it would be written in the environment; undefined when there is none. */
  readonly defaultValue: string | undefined;
  /** Never print its value. */
  readonly secret: boolean;
}

/** Describe every field of a schema, in its order. A field without a meaning is a mistake and throws. */
export function describeConfig(schema: z.ZodObject<ConfigShape>): ConfigField[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    if (!field.description) throw new Error(`setting ${name} has no meaning: add .describe(…)`);
    const absent = field.safeParse(undefined);
    return {
      name,
      meaning: field.description,
      required: !absent.success,
      defaultValue: absent.success && absent.data !== undefined ? written(absent.data) : undefined,
      secret: isSecret(field),
    };
  });
}

const isSecret = (field: z.ZodType | undefined): boolean => field?.meta()?.['secret'] === true;

function written(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, item]) => `${name}=${item}`)
    .join(',');
}

/** Builders for the kinds of settings there are. Chain `.optional()` or `.default(…)` before `.describe(…)`. */
export const setting = {
  text: () => z.string(),
  /** A whole number within bounds. */
  int: (bounds: { readonly min?: number; readonly max?: number } = {}) =>
    z.coerce
      .number('must be a number')
      .int('must be a whole number')
      .min(bounds.min ?? 0)
      .max(bounds.max ?? Number.MAX_SAFE_INTEGER),
  /** A TCP port; 0 lets the system choose. */
  port: () => z.coerce.number('must be a port').int().min(0).max(65_535),
  /** `true`/`1`/`yes`/`on` or `false`/`0`/`no`/`off`. */
  flag: () => z.stringbool({ error: 'must be true or false' }),
  /** A URL with one of these schemes, e.g. `['redis', 'rediss']`. */
  url: (schemes: readonly string[]) =>
    z.string().refine((text) => schemes.includes(schemeOf(text)), {
      error: `must be a URL that starts with ${schemes.map((s) => `${s}://`).join(' or ')}`,
    }),
  /** One of these words. */
  choice: <const W extends readonly [string, ...string[]]>(words: W) =>
    z.enum(words, { error: `must be one of ${words.join(', ')}` }),
  /** Words separated by commas; empty ones are left out. */
  list: () =>
    z.string().transform((text) =>
      text
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean),
    ),
  /** A program and its arguments as a JSON list of words: no shell takes it apart. */
  command: () =>
    z.string().transform((text, context): readonly string[] => {
      const words = wordsOf(text);
      if (words !== null) return words;
      context.addIssue({ code: 'custom', message: 'must be a JSON list of words' });
      return z.NEVER;
    }),
} as const;

/** The words of a JSON list of words; null for any other text. */
export function wordsOf(text: string): readonly string[] | null {
  try {
    return z.array(z.string()).min(1).safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * Mark a finished field as secret, with its meaning: documentation shows no value of it, and `<NAME>_FILE`
 * may name a file that holds it.
 */
export function secret<T extends z.ZodType>(field: T, meaning: string): T {
  return field.meta({ description: meaning, secret: true });
}

function schemeOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : '';
}
