/**
 * What the program gets from its process, and what follows from it: formats, colours, width, prompts.
 *
 * Why: everything below `main.ts` is a function of these, and can be told from a test what it runs in.
 * Law: no colour and no prompt where no person looks; NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed.
 */
import pc from 'picocolors';
import type { ReadStream, WriteStream } from 'node:tty';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Io {
  /** Without the program itself. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** The checkout that this program belongs to. */
  readonly checkout: string;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  /** First words of our commands, as they may stand in texts. */
  readonly commands?: ReadonlySet<string>;
}

/** `compact`: where a list has one, a line of a few words for each; a table elsewhere. */
export const formats = ['table', 'json', 'compact'] as const;
export type Format = (typeof formats)[number];

export type Colors = ReturnType<typeof pc.createColors>;

export interface Screen {
  /** A person looks at stdout: headers, fitted columns, short ids. */
  readonly isTty: boolean;
  readonly columns: number;
  readonly colors: Colors;
  /** What stands for the cut-off end of a text. */
  readonly ellipsis: string;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly format?: Format;
  /** False after `--no-color`. */
  readonly color?: boolean;
  /** False after `--no-input`. */
  readonly input?: boolean;
}

export function screenOf(io: Io, options: GlobalOptions): Screen {
  const isTty = io.stdout.isTTY;
  const locale = io.env['LC_ALL'] || io.env['LC_CTYPE'] || io.env['LANG'] || '';
  return {
    isTty,
    columns: isTty ? Math.max(40, io.stdout.columns || 80) : Number.POSITIVE_INFINITY,
    colors: pc.createColors(options.color !== false && wantsColor(io.env, isTty)),
    ellipsis: /utf-?8/i.test(locale) ? '…' : '...',
  };
}

/** NO_COLOR first (no-color.org), then FORCE_COLOR, then what stdout is. */
export function wantsColor(env: Environment, isTty: boolean): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') {
    return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  }
  return isTty && env['TERM'] !== 'dumb';
}

/** Marks that coding agents leave in the environment of the shells they run. */
const agentMarks = [
  'MAKIMA_RUN_ID',
  'CLAUDECODE',
  'CLAUDE_CODE',
  'CODEX_SANDBOX',
  'CODEX_THREAD_ID',
  'GEMINI_CLI',
  'OPENCODE',
  'CURSOR_AGENT',
  'AI_AGENT',
] as const;

/** An agent reads the output: JSON unless asked otherwise, and no questions. MAKIMA_AGENT=0|1 decides. */
export function isAgent(env: Environment): boolean {
  const said = env['MAKIMA_AGENT'];
  if (said !== undefined && said !== '') return said !== '0' && said !== 'false';
  return agentMarks.some((mark) => Boolean(env[mark]));
}

/** `piped`: what the command prints where stdout is no terminal and nobody said how. */
export function formatOf(io: Io, options: GlobalOptions, piped: Format = 'table'): Format {
  if (options.format !== undefined) return options.format;
  return isAgent(io.env) ? 'json' : io.stdout.isTTY ? 'table' : piped;
}

/** Groups whose output is for programs as soon as no person looks at it. */
export const jsonWhenPiped: readonly string[] = ['supervisor'];

/**
 * The format that a command line asks for, read without parsing it: errors of the parser itself must come
 * in that format too.
 */
export function formatAskedFor(io: Io): Format {
  for (const [at, word] of io.argv.entries()) {
    if (word === '--') break;
    const value = /^(?:--format=|-o=?)(.+)$/.exec(word)?.[1];
    if (value === 'json') return 'json';
    if ((word === '--format' || word === '-o') && io.argv[at + 1] === 'json') return 'json';
  }
  const group = io.argv.find((word) => !word.startsWith('-')) ?? '';
  return formatOf(io, {}, jsonWhenPiped.includes(group) ? 'json' : 'table');
}

/** A person is there to answer a prompt. */
export function canAsk(io: Io, options: GlobalOptions): boolean {
  return options.input !== false && io.stdin.isTTY && io.stderr.isTTY && !isAgent(io.env);
}
