/**
 * What a command works with: the server, the two outputs, the screen.
 *
 * Law: data goes to stdout in the asked format and nothing else does; talk goes to stderr, and in JSON there
 * is no talk at all, so that stderr holds one line at most.
 */
import type { Client } from '@makima/client/client';
import type { ToolClient } from '@makima/client/tools';
import { MakimaError } from '@makima/domain/error';
import { asTyped } from './as-typed.ts';
import { findConnection, isAgentShell, toolsUrl, type Connection } from './connection.ts';
import {
  canAsk,
  formatOf,
  screenOf,
  type Format,
  type GlobalOptions,
  type Io,
  type Screen,
} from './io.ts';
import { safeJson } from './plain.ts';
import { usageError } from './print-error.ts';

export interface Shell {
  readonly io: Io;
  readonly format: Format;
  readonly screen: Screen;
  readonly canAsk: boolean;
  /** The words after the command itself, as they were typed: for commands that pass them on. */
  readonly rawArgs: readonly string[];
  nowMs(): number;
  /** The client of the server that this command line means. */
  connect(): Promise<Client>;
  /** The tools that this shell has: an agent's own, or a person's. */
  tools(): Promise<ToolClient>;
  /** This is the shell of an agent that a daemon runs: it has tools, and no API. */
  readonly isRun: boolean;
  /** The address of that server. */
  url(): string;
  /** Lines for people, on stdout. */
  print(text: string): void;
  /** The one JSON document of a command, on stdout. */
  json(value: unknown): void;
  /** One of several JSON documents, each on a line. */
  jsonLine(value: unknown): void;
  /** Talk, on stderr; nothing in JSON. */
  say(text: string): void;
}

export interface CommandLine {
  readonly options: GlobalOptions;
  readonly rawArgs: readonly string[];
  /** The format where nobody looks at stdout and none was asked for. */
  readonly piped?: Format | undefined;
}

export function createShell(io: Io, { options, rawArgs, piped }: CommandLine): Shell {
  const format = formatOf(io, options, piped);
  const say = (text: string): void => {
    if (format !== 'json') io.stderr.write(`${asTyped(io, io.stderr, text)}\n`);
  };
  const connection = (): ReturnType<typeof findConnection> => findConnection(io, options.url);
  return {
    io,
    format,
    rawArgs,
    screen: screenOf(io, options),
    canAsk: canAsk(io, options),
    nowMs: () => Date.now(),
    isRun: isAgentShell(io.env),
    url: () => connection().url,
    connect: () => open(connection(), say),
    tools: () => openTools(connection(), say),
    print: (text) => void io.stdout.write(`${asTyped(io, io.stdout, text)}\n`),
    json: (value) => void io.stdout.write(`${safeJson(value, io.stdout.isTTY ? 2 : undefined)}\n`),
    jsonLine: (value) => void io.stdout.write(`${safeJson(value)}\n`),
    say,
  };
}

async function open(to: Connection, say: (text: string) => void): Promise<Client> {
  const { createClient } = await import('@makima/client/client');
  const client = createClient({
    baseUrl: to.url,
    key: to.key,
    onRetry: ({ error, delayMs }) => sayRetry(say, error, delayMs),
  });
  return to.key === undefined ? explainMissingKey(client, to.url) : client;
}

async function openTools(to: Connection, say: (text: string) => void): Promise<ToolClient> {
  const { createToolClient } = await import('@makima/client/tools');
  const tools = createToolClient({
    url: toolsUrl(to),
    key: to.key,
    onRetry: ({ error, delayMs }) => sayRetry(say, error, delayMs),
  });
  const { url, key } = to;
  if (key !== undefined) return tools;
  return { call: (...args) => tools.call(...args).catch((error) => missingKey(error, url)) };
}

function sayRetry(say: (text: string) => void, error: MakimaError, delayMs: number): void {
  if (delayMs < 1_000) return;
  say(`${error.message}; trying again in ${Math.round(delayMs / 1_000)} s`);
}

/** A 401 for a request that had no key means something else than for a key that is wrong. */
function missingKey(error: unknown, url: string): never {
  if (error instanceof MakimaError && error.code === 'UNAUTHENTICATED') {
    throw new MakimaError('UNAUTHENTICATED', `no key for ${url}`, {
      details: error.details,
      fix: 'set MAKIMA_TOKEN to a key of that server (its owner makes one: makima keys create <name>)',
    });
  }
  throw error;
}

function explainMissingKey(client: Client, url: string): Client {
  const explain = (error: unknown): never => missingKey(error, url);
  return {
    baseUrl: client.baseUrl,
    socket: (path) => client.socket(path),
    call: (...args) => client.call(...args).catch(explain),
    callAs: (...args) => client.callAs(...args).catch(explain),
  };
}

/**
 * Asks y/N before something that cannot be taken back. `yes` skips the question; where nobody can answer
 * it is a usage error that names the flag. Refused: exit 3.
 */
export async function confirm(
  shell: Shell,
  question: string,
  options: { yes: boolean },
): Promise<void> {
  if (options.yes) return;
  if (!shell.canAsk) {
    throw usageError(
      `${question}: nobody is here to say yes, so nothing was done`,
      'add --yes to the command',
    );
  }
  const { createInterface } = await import('node:readline/promises');
  const { stdin, stderr } = shell.io;
  const lines = createInterface({ input: stdin, output: stderr });
  const interrupted = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => reject(new Interrupted()));
  });
  try {
    const answer = await Promise.race([lines.question(`${question}? [y/N] `), interrupted]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Cancelled();
  } finally {
    lines.close();
  }
}

/** Somebody said no at a prompt. */
export class Cancelled extends Error {}
/** Somebody pressed Ctrl-C. */
export class Interrupted extends Error {}
