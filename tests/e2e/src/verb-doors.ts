// Three doors of a supervisor's verbs: HTTP with a person's key, the official client of MCP and the command line,
// both in the shell of the supervisor's agent.
// Why: what is said at one door must have the same outcome at the others.
// Law: an outcome is a value or a code; how it came is checked here (one document, one exit code), not told.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Client } from '@makima/client/client';
import { isMakimaError } from '@makima/domain/error';
import type { CliAnswer, ShellAsk, ToolAnswer } from './agent-shell.ts';
import { eventually } from './patience.ts';

export const doors = ['http', 'mcp', 'cli'] as const;
export type Door = (typeof doors)[number];

export type Value = Readonly<Record<string, any>>;

/** The outcome behind any door: the value, or the code of the refusal. */
export type Outcome = { readonly value: Value } | { readonly code: string };

/** What the verbs of one door work on. */
export interface Ground {
  readonly door: Door;
  readonly client: Client;
  readonly contractId: string;
  /** The door's own task, once it is spawned. */
  pieceId: string;
}

export interface Verb {
  readonly name: string;
  readonly http: (ground: Ground) => Promise<unknown>;
  readonly tool: string;
  readonly args: (ground: Ground) => Readonly<Record<string, unknown>>;
  readonly cli: (ground: Ground) => readonly string[];
  /** What has to be the same, whichever door the value came from. */
  readonly same: (value: Value, ground: Ground) => unknown;
}

/** Speaks with the shell that the supervisor's agent has opened. */
export interface Shell {
  ask(ask: ShellAsk): Promise<unknown>;
}

export async function openShell(portFile: string): Promise<Shell> {
  const port = await eventually(
    () => portOf(portFile),
    (found) => found !== null,
    { what: 'the shell of the supervisor' },
  );
  return {
    ask: (ask) =>
      new Promise((resolve, reject) => {
        const sent = request(
          { host: '127.0.0.1', port, method: 'POST' },
          (response) => void text(response).then((body) => resolve(JSON.parse(body)), reject),
        );
        sent.on('error', reject);
        sent.end(JSON.stringify(ask));
      }),
  };
}

function portOf(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Says the verb at its door. */
export async function say(shell: Shell, verb: Verb, ground: Ground): Promise<Outcome> {
  switch (ground.door) {
    case 'http':
      return byHttp(verb, ground);
    case 'mcp':
      return outcomeOf(
        (await shell.ask({ tool: verb.tool, args: verb.args(ground) })) as ToolAnswer,
      );
    case 'cli':
      return byCli(shell, verb.cli(ground));
  }
}

async function byHttp(verb: Verb, ground: Ground): Promise<Outcome> {
  try {
    return { value: (await verb.http(ground)) as Value };
  } catch (error) {
    if (isMakimaError(error)) return { code: error.code };
    throw error;
  }
}

function outcomeOf({ value, problem }: ToolAnswer): Outcome {
  if (problem === null) return { value: value as Value };
  return { code: String((problem as { code: unknown }).code) };
}

/** One document of JSON on stdout, or one line of a problem on stderr, with the exit code of its kind. */
export async function byCli(shell: Shell, args: readonly string[]): Promise<Outcome> {
  const ran = (await shell.ask({ cli: args })) as CliAnswer;
  if (ran.stdout !== '') {
    if (ran.stderr !== '') throw new Error(`both outputs were used: ${JSON.stringify(ran)}`);
    return { value: JSON.parse(ran.stdout) as Value };
  }
  const { code, exitCode } = JSON.parse(ran.stderr) as { code: string; exitCode: number };
  if (exitCode !== ran.code) throw new Error(`the exit code is another: ${JSON.stringify(ran)}`);
  return { code };
}
