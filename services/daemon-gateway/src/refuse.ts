/**
 * Answers to an upgrade that is not granted: plain HTTP on the raw socket, a problem as the API has them, then the
 * end of it.
 *
 * Law: no detail that helps to guess; the same answer for every wrong key.
 */
import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { mintId } from '@makima/contracts/ids';
import { toProblem } from '@makima/contracts/problem';
import { MakimaError, type ErrorCode } from '@makima/domain/error';

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 421 | 500 | 503;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

export const refusals = {
  path: { status: 404, code: 'NOT_FOUND', message: 'daemons connect to /daemon' },
  host: {
    status: 421,
    code: 'MISDIRECTED_REQUEST',
    message: 'this server does not go by that name',
  },
  origin: { status: 403, code: 'FORBIDDEN', message: 'pages do not connect here' },
  key: { status: 401, code: 'UNAUTHENTICATED', message: 'a valid daemon key is needed' },
  handshake: { status: 400, code: 'VALIDATION_FAILED', message: 'this is no WebSocket handshake' },
  broken: { status: 500, code: 'INTERNAL', message: 'the upgrade failed' },
} as const satisfies Record<string, Refusal>;

/** Not now: `seconds` until it is worth another try. */
export function later(seconds: number, message: string): Refusal {
  return { status: 503, code: 'DEPENDENCY_UNAVAILABLE', message, retryAfterSeconds: seconds };
}

export function refuse(socket: Duplex, refusal: Refusal): void {
  const { status, code, message, retryAfterSeconds } = refusal;
  const error = new MakimaError(code, message, { retryable: status === 503 });
  const body = `${JSON.stringify(toProblem(error, mintId(Date.now(), randomBytes(10))))}\n`;
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
