/**
 * What a command works with: the server, the two outputs, the screen.
 *
 * Law: data goes to stdout in the asked format and nothing else does; talk goes to stderr, and in JSON there
 * is no talk at all, so that stderr holds one line at most.
 */
import type { Client } from '@makima/client/client';
import { MakimaError } from '@makima/domain/error';
import { findConnection } from './connection.ts';
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

export function createShell(io: Io, options: GlobalOptions, rawArgs: readonly string[]): Shell {
  const format = formatOf(io, options);
  const say = (text: string): void => {
    if (format !== 'json') io.stderr.write(`${text}\n`);
  };
  const connection = (): ReturnType<typeof findConnection> => findConnection(io, options.url);
  return {
    io,
    format,
    rawArgs,
    screen: screenOf(io, options),
    canAsk: canAsk(io, options),
    nowMs: () => Date.now(),
    url: () => connection().url,
    connect: () => open(connection(), say),
    print: (text) => void io.stdout.write(`${text}\n`),
    json: (value) => void io.stdout.write(`${safeJson(value, io.stdout.isTTY ? 2 : undefined)}\n`),
    jsonLine: (value) => void io.stdout.write(`${safeJson(value)}\n`),
    say,
  };
}

async function open(
  to: { url: string; key: string | undefined },
  say: (text: string) => void,
): Promise<Client> {
  const { createClient } = await import('@makima/client/client');
  const client = createClient({
    baseUrl: to.url,
    key: to.key,
    onRetry: ({ error, delayMs }) => {
      if (delayMs >= 1_000)
        say(`${error.message}; trying again in ${Math.round(delayMs / 1_000)} s`);
    },
  });
  return to.key === undefined ? explainMissingKey(client, to.url) : client;
}

/** A 401 for a request that had no key means something else than for a key that is wrong. */
function explainMissingKey(client: Client, url: string): Client {
  const explain = (error: unknown): never => {
    if (error instanceof MakimaError && error.code === 'UNAUTHENTICATED') {
      throw new MakimaError('UNAUTHENTICATED', `no key for ${url}`, {
        details: error.details,
        fix: 'set MAKIMA_TOKEN to a key of that server (its owner makes one: makima keys create <name>)',
      });
    }
    throw error;
  };
  return {
    baseUrl: client.baseUrl,
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
    throw usageError(`${question}: nobody is here to say yes`, 'add --yes to the command');
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
