/**
 * One JSON request to a forge: to the address that was checked, within a time, up to a size.
 *
 * Law: no redirect is followed; a private address is refused unless its host was allowed by name; plain http
 * only to this machine; the token stands in one header and in no error.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { MakimaError } from '@makima/domain/error';
import { checkHost } from '../git/source.ts';

export interface ForgeAccess {
  readonly apiUrl: string;
  readonly token: string;
  readonly allowHosts: readonly string[];
  /** PEM, beside the authorities that are known. */
  readonly ca: string | null;
  readonly requestMs: number;
}

export interface ForgeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Undefined when the body was no JSON. */
  readonly json: unknown;
}

/** The request may or may not have been carried out: nobody answered. */
export class ForgeSilence extends Error {}

const bodyMaxBytes = 4 * 1_048_576;

/** @throws ForgeSilence when no whole answer came; MakimaError when the address is refused. */
export async function askForge(
  access: ForgeAccess,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<ForgeAnswer> {
  const url = new URL(`${access.apiUrl}${path}`);
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:' && !isLoopback(host)) throw notSafe();
  const address = await checkHost(host, { allowHosts: access.allowHosts });
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const signal = AbortSignal.timeout(access.requestMs);
  try {
    const request = open(url, address, access, method, payload, signal);
    return await answerOf(request);
  } catch (error) {
    throw new ForgeSilence(signal.aborted ? 'it did not answer in time' : wordsOf(error));
  }
}

function open(
  url: URL,
  address: string | null,
  access: ForgeAccess,
  method: string,
  payload: string | undefined,
  signal: AbortSignal,
): ClientRequest {
  const start = url.protocol === 'http:' ? httpRequest : httpsRequest;
  return start(url, {
    method,
    signal,
    agent: false,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${access.token}`,
      'user-agent': 'makima',
      'x-github-api-version': '2022-11-28',
      ...(payload === undefined
        ? {}
        : {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(payload)),
          }),
    },
    ...(address === null ? {} : { lookup: pinnedTo(address) }),
    ...(access.ca === null ? {} : { ca: [...rootCertificates, access.ca] }),
  }).end(payload);
}

type Lookup = NonNullable<Parameters<typeof httpRequest>[1]['lookup']>;

/** The address that was checked, whatever a second look-up would say. */
function pinnedTo(address: string): Lookup {
  const family = isIP(address);
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

function answerOf(request: ClientRequest): Promise<ForgeAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      readAll(response).then((text) => {
        const headers = response.headers as Record<string, string | undefined>;
        resolve({ status: response.statusCode ?? 0, headers, json: parsed(text) });
      }, reject);
    });
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMaxBytes) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error('its answer was cut off');
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function wordsOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? (error instanceof Error ? error.message : 'it did not answer');
}

function notSafe(): MakimaError {
  return new MakimaError('COMMAND_FAILED', 'a token is sent over https only', {
    details: { reason: 'not_https' },
    fix: 'set MAKIMA_GITHUB_API_URL to an https address',
  });
}
