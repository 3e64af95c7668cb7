/**
 * Settings from a TOML file beside the environment: each key of its tables is a variable, and what the
 * environment says counts more.
 *
 * Law: a file that does not open, a table or a key that is not known, a value that is no plain one: each ends the
 * start, named all at once. Values are never echoed.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import type { z } from 'zod';
import {
  badSettingsExitCode,
  ConfigError,
  readConfig,
  type ConfigProblem,
  type ConfigShape,
} from './config.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** By table, by key: the variable that says the same. */
export type FileTables = Readonly<Record<string, ReadonlyMap<string, string>>>;

export const configFileName = 'MAKIMA_CONFIG_FILE';

/** The environment with what a file adds to it, and what each added variable is called in that file. */
export interface FiledEnv {
  readonly env: Env;
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * What a process is told by its environment and by the file that this names.
 * @throws ConfigError listing everything that is wrong, each where a person finds it: file and key, or variable.
 */
export function readSettings<S extends ConfigShape>(
  schema: z.ZodObject<S>,
  given: Env,
  tables: FileTables,
): z.infer<z.ZodObject<S>> {
  const { env, keys } = withConfigFile(given, tables);
  try {
    return readConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.problems.map((one) => ({ ...one, name: keys.get(one.name) ?? one.name })),
    );
  }
}

/** The same at the start of a process: what does not fit is told, and ends it. */
export function readSettingsOrExit<S extends ConfigShape>(
  schema: z.ZodObject<S>,
  env: Env,
  tables: FileTables,
): z.infer<z.ZodObject<S>> {
  try {
    return readSettings(schema, env, tables);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(badSettingsExitCode);
  }
}

/**
 * The environment with what the file that it names adds to it.
 * @throws ConfigError listing everything that is wrong with the file.
 */
export function withConfigFile(env: Env, tables: FileTables): FiledEnv {
  const path = env[configFileName]?.trim();
  if (!path) return { env, keys: new Map() };
  const problems: ConfigProblem[] = [];
  const fault = (name: string, problem: string): void =>
    void problems.push({ name: `${path}: ${name}`, meaning: '', problem });
  const given: Record<string, string> = {};
  const named = new Map<string, string>();
  for (const [tableName, table] of Object.entries(readTables(path))) {
    const keys = Object.hasOwn(tables, tableName) ? tables[tableName] : undefined;
    if (keys === undefined || typeof table !== 'object' || table === null) {
      fault(tableName, `is no table; there are ${Object.keys(tables).join(', ')}`);
      continue;
    }
    for (const [key, value] of Object.entries(table)) {
      const name = keys.get(key);
      if (name === undefined) fault(`${tableName}.${key}`, 'is not a setting');
      else if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value))
        fault(`${tableName}.${key}`, 'must be a text, a number, true or false');
      else if (!env[name]?.trim()) {
        given[name] = String(value);
        named.set(name, `${path}: ${tableName}.${key}`);
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { env: { ...env, ...given }, keys: named };
}

function readTables(path: string): Record<string, unknown> {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const line = (error as { line?: number }).line;
    const problem =
      line === undefined
        ? `does not open: ${code ?? 'it cannot be read'}`
        : `is not TOML (line ${line})`;
    throw new ConfigError([{ name: `${configFileName} ${path}`, meaning: '', problem }]);
  }
}
