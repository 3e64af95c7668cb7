/**
 * Which server, and with which key.
 *
 * Order: `--url`, MAKIMA_URL, the stack that runs from this checkout, the user's `hosts.json`. The key:
 * MAKIMA_TOKEN, or the file that MAKIMA_TOKEN_FILE names (its owner's alone), else the one that is kept for that very server.
 * Law: a kept key goes to the server that it was kept for and to no other, and never to an agent.
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MakimaError } from '@makima/domain/error';
import type { Io } from './io.ts';
import { usageError } from './print-error.ts';

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
}

/** The token of an agent's run: it opens its daemon's loopback door for tools and nothing else. */
export const isRunToken = (key: string | undefined): boolean => key?.startsWith('mkrun_') === true;

/**
 * The shell of an agent that a daemon runs. Keys of people that lie around are not for it, though the files
 * are those of its own user; a key that somebody hands over by MAKIMA_TOKEN makes it a shell as any other.
 */
export function isAgentShell(env: Io['env']): boolean {
  const token = env['MAKIMA_TOKEN'];
  return isRunToken(token) || (!token && Boolean(env['MAKIMA_RUN_ID']));
}

/** Where tools are called: an agent's address is that door itself, a server has it beside its API. */
export function toolsUrl({ url, key }: Connection): string {
  return isRunToken(key) && url.endsWith('/mcp') ? url : `${url}/mcp`;
}

/** `{"default": "<url>", "hosts": {"<url>": {"token": "<key>"}}}` */
interface Hosts {
  readonly default?: string;
  readonly hosts?: Readonly<Record<string, { readonly token?: string }>>;
}

export function findConnection(io: Io, urlOption: string | undefined): Connection {
  if (isAgentShell(io.env) && !isRunToken(io.env['MAKIMA_TOKEN'])) {
    throw new MakimaError(
      'FORBIDDEN',
      'this is the shell of an agent, without the token of its run',
      {
        fix: 'use the tools of makima; keys that are kept for people are not taken here',
      },
    );
  }
  const home = io.env['MAKIMA_HOME'] || join(io.checkout, '.makima');
  const stack = readJson<{ url?: unknown }>(join(home, 'run/stack.json'));
  const stackUrl = typeof stack?.url === 'string' ? normalize(stack.url) : undefined;
  const hosts = readJson<Hosts>(hostsFile(io)) ?? {};
  const asked = urlOption ?? (io.env['MAKIMA_URL'] || undefined);
  const url = asked === undefined ? (stackUrl ?? defaultHost(hosts)) : normalize(asked);
  if (url === undefined) {
    throw new MakimaError('DEPENDENCY_UNAVAILABLE', 'no makima server is running here', {
      details: { why: `no stack in ${home}, no --url, no MAKIMA_URL, no ${hostsFile(io)}` },
      fix: './makima up',
      retryable: true,
    });
  }
  const key =
    givenKey(io.env) ||
    (url === stackUrl ? readText(join(home, 'secrets/owner.key')) : undefined) ||
    tokenFor(hosts, url);
  return { url, key: key?.trim() || undefined };
}

/** What somebody handed over: a key, or the file that holds one and that nobody else can read. */
function givenKey(env: Io['env']): string | undefined {
  const [key, file] = [env['MAKIMA_TOKEN'] || undefined, env['MAKIMA_TOKEN_FILE'] || undefined];
  if (file === undefined) return key;
  if (key !== undefined)
    throw usageError('MAKIMA_TOKEN is set, and so is MAKIMA_TOKEN_FILE', 'take one away');
  const text = readText(file)?.trim();
  if (!text)
    throw usageError(
      `MAKIMA_TOKEN_FILE names ${file}: ${text === undefined ? 'it does not exist' : 'it is empty'}`,
      'write the key into it (its owner makes one: makima keys create <name>)',
    );
  if ((statSync(file).mode & 0o077) !== 0)
    throw new MakimaError('FORBIDDEN', `others can read the key in ${file}`, {
      fix: `chmod 600 ${file}`,
    });
  return text;
}

export function hostsFile(io: Io): string {
  const config = io.env['XDG_CONFIG_HOME'] || join(io.env['HOME'] || homedir(), '.config');
  return join(config, 'makima/hosts.json');
}

function defaultHost(hosts: Hosts): string | undefined {
  const [only, ...more] = Object.keys(hosts.hosts ?? {});
  const url = hosts.default ?? (more.length === 0 ? only : undefined);
  return url === undefined ? undefined : normalize(url);
}

function tokenFor(hosts: Hosts, url: string): string | undefined {
  const found = Object.entries(hosts.hosts ?? {}).find(([host]) => normalize(host) === url);
  return found?.[1].token;
}

function normalize(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw usageError(`'${text}' is not the address of a server`, 'give it as http://host:port');
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError(
      'an address must not carry a password',
      'put the key into MAKIMA_TOKEN and leave it out of the address',
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MakimaError('FORBIDDEN', `cannot read ${file}`, {
      details: { why: (error as Error).message },
      fix: 'run as the user who started makima, or set MAKIMA_TOKEN',
    });
  }
}

function readJson<T>(file: string): T | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw usageError(`${file} is not valid JSON`, `repair or remove ${file}`);
  }
}
