/**
 * Whoever receives webhooks, for tests: a real server on this machine that answers as it is told and
 * remembers what came.
 *
 * Law: ends with its test, whatever it still holds open.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onEnd } from './kit.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Reply = (
  received: Received,
  response: Parameters<RequestListener>[1],
  nth: number,
) => void;

export interface Receiver {
  readonly port: number;
  readonly url: string;
  readonly received: readonly Received[];
  /** Connections that were made, whether or not a request came. */
  readonly connections: number;
  /** Resolves when so many requests have come. */
  came(count: number): Promise<void>;
}

export const replyWith =
  (status: number, headers: Record<string, string> = {}, body = 'thanks'): Reply =>
  (_received, response) =>
    void response.writeHead(status, headers).end(body);

export async function startReceiver(
  reply: Reply,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Receiver> {
  const received: Received[] = [];
  const lookers = new Set<() => void>();
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      reply(one, response, received.length);
      for (const look of lookers) look();
    });
  };
  const server: Server =
    tls === undefined ? createServer(listener) : (createTlsServer(tls, listener) as Server);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook`,
    received,
    get connections() {
      return connections;
    },
    came: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (received.length < count) return;
          lookers.delete(look);
          resolve();
        };
        lookers.add(look);
        look();
      }),
  };
}

/** A certificate that nobody has signed, for localhost, 127.0.0.1 and hooks.makima.test; good for tests only. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMv1g66xDzeEskHRE
Ux51ySW9keQ8R+wvsrOFUznBjtmhRANCAARzDlI4uSpVn27+pAM1yIDPz/Q4pnpi
/O1a/bpX+REkULHkDi3seYlW3BM/08zDa3mbomheSCwC12d8EhE+2I73
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBsTCCAVagAwIBAgIUUZlDCiurjojwNkdfG7ex362zn7kwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODAwMTUwNloYDzIxMjYxMTA0
MDAxNTA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARzDlI4uSpVn27+pAM1yIDPz/Q4pnpi/O1a/bpX+REkULHkDi3seYlW
3BM/08zDa3mbomheSCwC12d8EhE+2I73o4GDMIGAMB0GA1UdDgQWBBRUd9EoRPcE
6aWeIVer/D2pOF0QvTAfBgNVHSMEGDAWgBRUd9EoRPcE6aWeIVer/D2pOF0QvTAP
BgNVHRMBAf8EBTADAQH/MC0GA1UdEQQmMCSCCWxvY2FsaG9zdIcEfwAAAYIRaG9v
a3MubWFraW1hLnRlc3QwCgYIKoZIzj0EAwIDSQAwRgIhAMthS/tBnXHaEo+5iUwP
1nb/9gEm864Cg5y7/rwF/i/7AiEAr3NzPC014zIsBGn4lXyyyojxQ2Df7/clg0lR
JDSJoEM=
-----END CERTIFICATE-----
`,
};
