// What a command of the stack is, and how its options are read.
// Why: every command has the same help, the same errors and the same exit codes.
// Law: exit codes are 0 done, 1 failed, 2 not understood (command line or settings), 3 nothing runs (status), 130 Ctrl-C.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Home } from '../home.ts';
import { suggest } from '../suggest.ts';

export interface CommandContext {
  home: Home;
  env: NodeJS.ProcessEnv;
  args: readonly string[];
}

export interface Command {
  summary: string;
  /** Text of --help, with one example. */
  help: string;
  /** Returns the exit code. */
  run: (context: CommandContext) => Promise<number>;
}

/** The command line was not understood: exit code 2. */
export class UsageError extends Error {}

type OptionTable = NonNullable<ParseArgsConfig['options']>;

/** Reads options, and plain words where they are taken; throws UsageError for anything unknown. */
export const readOptions = <T extends OptionTable>(
  args: readonly string[],
  options: T,
  words: 'words' | 'no words' = 'no words',
) => {
  const read = () => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    } catch (error) {
      const [first = ''] = (error as Error).message.split('. ');
      const hint = nearOption(first, Object.keys(options)) ?? 'what there is: --help';
      throw new UsageError(`${first.charAt(0).toLowerCase()}${first.slice(1)} (${hint})`);
    }
  };
  const parsed = read();
  const [surplus] = parsed.positionals;
  if (words === 'no words' && surplus !== undefined)
    throw new UsageError(`'${surplus}' means nothing here (what there is: --help)`);
  return parsed;
};

const nearOption = (message: string, names: readonly string[]): string | undefined => {
  const typed = /unknown option '--([^'=]+)/i.exec(message)?.[1];
  const near = typed === undefined ? undefined : suggest(typed, names);
  return near === undefined ? undefined : `did you mean --${near}?`;
};

/** One line to the person at the terminal. */
export const say = (line: string): void => console.error(`makima: ${line}`);

export const exitCodes = { ok: 0, failed: 1, usage: 2, notRunning: 3, interrupted: 130 } as const;
