/**
 * Answers written onto a socket that no route has, or will have: a request that is none, an upgrade that is
 * refused.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { problemStatus, toProblem } from '@makima/contracts/problem';
import { newRequestId } from './headers.ts';
import { problemType } from './problem.ts';

export function rawAnswer(status: number, body: string): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Refuse an upgrade with the problem that a request would have got. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const refused = isMakimaError(error)
    ? error
    : new MakimaError('DEPENDENCY_UNAVAILABLE', 'the server cannot answer now', {
        retryable: true,
      });
  const body = JSON.stringify(toProblem(refused, newRequestId()));
  socket.end(rawAnswer(problemStatus[refused.code], body));
  // A peer that does not take its answer is not waited for.
  setTimeout(() => socket.destroy(), 1_000).unref();
}
