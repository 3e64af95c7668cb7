/**
 * How a command is described: once, as data. The parser, its help and the tests that walk all commands come
 * from these descriptions.
 *
 * Law: a command has an example; its code is imported when it runs and not before.
 */
import { readUsd } from '@makima/domain/usage';
import type { Shell } from '../shell.ts';

export interface OptionSpec {
  /** As commander writes them: `-f, --follow`, `--limit <n>`, `--no-start`. */
  readonly flags: string;
  readonly text: string;
  readonly choices?: readonly string[];
  readonly default?: string | number;
  /** Reads a value; throws a RangeError that says what is wrong with it. */
  readonly parse?: (value: string) => unknown;
  /** May be given several times; the values come as a list. */
  readonly repeatable?: true;
}

export interface CommandModule {
  /** `args` as the arguments say, `options` as the options say; the result is the exit code, 0 when absent. */
  run(shell: Shell, args: never, options: never): Promise<number | void>;
}

export interface CommandSpec {
  /** The words that call it: `contracts list`. */
  readonly path: string;
  /** Arguments as commander writes them: `<contract>`, `[words...]`. */
  readonly args?: readonly (readonly [flags: string, text: string])[];
  readonly summary: string;
  /** What its summary leaves out. */
  readonly text?: string;
  readonly examples: readonly [string, ...string[]];
  readonly options?: readonly OptionSpec[];
  /** Heading under which the program's own help lists it. */
  readonly heading?: string;
  /** Unknown options are handed on, not refused. */
  readonly passThrough?: true;
  readonly load: () => Promise<CommandModule>;
}

export interface GroupSpec {
  readonly name: string;
  readonly alias?: string;
  /** Its command that is meant when none is named: `makima tasks fix-login`. */
  readonly bare?: string;
  readonly summary: string;
  readonly example: string;
  readonly heading: string;
}

/** A whole number from `min` on. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < min || number > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
      throw new RangeError(`it must be a whole number, ${range}.`);
    }
    return number;
  };
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `15m`, `2h`, `1d` as seconds. */
export function durationSeconds(value: string): number {
  const match = /^(\d+)([smhd])$/.exec(value);
  if (!match) throw new RangeError('write it as 90s, 15m, 2h or 1d.');
  return Number(match[1]) * (secondsOf[match[2] ?? ''] ?? 1);
}

/** Words separated by commas, each one of these. */
export function wordsOf(known: readonly string[]): (value: string) => readonly string[] {
  return (value) => {
    const words = value.split(',').map((word) => word.trim());
    const wrong = words.find((word) => !known.includes(word));
    if (wrong !== undefined) throw new RangeError(`'${wrong}' is none of ${known.join(', ')}.`);
    return words;
  };
}

/** `10`, `2.50` or `$2.50` as millionths of a dollar. */
export function dollars(value: string): number {
  const micros = readUsd(value.replace(/^\$/, ''));
  if (micros === undefined || micros === 0)
    throw new RangeError('write dollars as 10, 2.50 or $2.50.');
  return micros;
}
