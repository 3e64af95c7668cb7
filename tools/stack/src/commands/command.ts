// What a command of the stack is, and how its options are read.
// Why: every command has the same help, the same errors and the same exit codes.
// Law: exit codes are 0 done, 1 failed, 2 not understood (command line or settings), 3 nothing runs (status), 130 Ctrl-C.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Home } from '../home.ts';

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

/** Reads options and plain words; throws UsageError for anything unknown. */
export const readOptions = <T extends OptionTable>(args: readonly string[], options: T) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. ');
    throw new UsageError(
      `${first.charAt(0).toLowerCase()}${first.slice(1)} (what there is: --help)`,
    );
  }
};

/** One line to the person at the terminal. */
export const say = (line: string): void => console.error(`makima: ${line}`);

export const exitCodes = { ok: 0, failed: 1, usage: 2, notRunning: 3, interrupted: 130 } as const;
