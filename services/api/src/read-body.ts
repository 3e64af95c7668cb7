/**
 * Reads a JSON body within its limits: bytes counted while they come, strict UTF-8, JSON of bounded depth
 * without doubled keys, and no value that Postgres or a prototype would choke on.
 *
 * Law: a body is refused with a 4xx that names the fault; what is read is plain data.
 */
import type { IncomingMessage } from 'node:http';
import { MakimaError } from '@makima/domain/error';
import { checkJsonText } from './json-text.ts';
import { cleaned, findBadValues } from './plain-value.ts';
import { invalid } from './problem.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxItems: number;
  /** NUL, lone surrogates, keys of the prototype: refused for people, dropped for what an agent printed. */
  readonly odd: 'refuse' | 'clean';
}

/** The parsed body, or undefined when there is none. */
export async function readJsonBody(
  incoming: IncomingMessage,
  limits: BodyLimits,
): Promise<unknown> {
  const { headers } = incoming;
  if (!hasBody(headers)) return undefined;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw unsupported('a body is sent as it is, without Content-Encoding');
  }
  const bytes = await readBytes(incoming, limits.maxBytes);
  if (bytes.length === 0) return undefined;
  if (!isJson(headers['content-type'])) {
    throw unsupported('a body is JSON: Content-Type: application/json');
  }
  return parseJson(bytes, limits);
}

function parseJson(bytes: Buffer, limits: BodyLimits): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw invalid([{ pointer: '', detail: 'is not valid UTF-8' }]);
  }
  const fault = checkJsonText(text, limits);
  if (fault !== undefined) throw invalid([{ pointer: '', detail: fault }]);
  const value: unknown = JSON.parse(text);
  if (limits.odd === 'clean') return cleaned(value);
  const bad = findBadValues(value);
  if (bad.length > 0) throw invalid(bad);
  return value;
}

function hasBody(headers: IncomingMessage['headers']): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

/** `application/json`, at most with `charset=utf-8`. */
export function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(contentType?.trim() ?? '');
}

function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const told = Number(incoming.headers['content-length'] ?? '0');
  if (told > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void): void => {
      incoming.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      act();
    };
    const onData = (part: Buffer): void => {
      bytes += part.length;
      parts.push(part);
      if (bytes > maxBytes) {
        incoming.pause();
        settle(() => reject(tooLarge(maxBytes)));
      }
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(parts)));
    const onGone = (): void =>
      settle(() => reject(invalid([{ pointer: '', detail: 'broke off before its end' }])));
    incoming.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function tooLarge(limitBytes: number): MakimaError {
  return new MakimaError('PAYLOAD_TOO_LARGE', `a body has at most ${limitBytes} bytes`, {
    details: { limitBytes },
    fix: 'send less, or in several requests',
  });
}

function unsupported(message: string): MakimaError {
  return new MakimaError('UNSUPPORTED_MEDIA_TYPE', message, {
    fix: 'send JSON as it is, with Content-Type: application/json',
  });
}
