/**
 * Repositories over https with a password, for tests: git's own `http-backend` behind a server of Node, with a
 * certificate made for the run.
 *
 * Law: it asks for the token on every request and keeps which were made; nothing of it leaves this machine.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface GitServer {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** The authority to trust. */
  readonly caFile: string;
  /** Bare repository `owner/name.git`, made empty. */
  repository(name: string): string;
  /** Paths of the requests, with whether they carried the token. */
  readonly requests: { readonly path: string; readonly allowed: boolean }[];
  stop(): Promise<void>;
}

export async function startGitServer(dir: string, token: string): Promise<GitServer> {
  const root = join(dir, 'forge');
  mkdirSync(root, { recursive: true });
  const { keyFile, certFile } = makeCertificate(dir);
  const requests: { path: string; allowed: boolean }[] = [];
  const wanted = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const server = createServer(
    { key: readFileSync(keyFile), cert: readFileSync(certFile) },
    (request, response) => {
      const allowed = request.headers.authorization === wanted;
      requests.push({ path: request.url ?? '', allowed });
      if (allowed) return runBackend(root, request, response);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' });
      response.end();
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caFile: certFile,
    requests,
    repository(name) {
      const path = join(root, `${name}.git`);
      execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', '--', path]);
      execFileSync('git', ['-C', path, 'config', 'http.receivepack', 'true']);
      return path;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function makeCertificate(dir: string): { keyFile: string; certFile: string } {
  const keyFile = join(dir, 'forge-key.pem');
  const certFile = join(dir, 'forge-cert.pem');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', '-days', '2', ...kind, ...subject, ...files];
  execFileSync('openssl', args, { stdio: 'pipe' });
  return { keyFile, certFile };
}

/** One request by the CGI of git. */
function runBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://forge');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'makima',
      ...(request.headers['content-encoding'] === undefined
        ? {}
        : { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
      ...(request.headers['content-length'] === undefined
        ? {}
        : { CONTENT_LENGTH: request.headers['content-length'] }),
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const whole = Buffer.concat(chunks);
    const at = whole.indexOf('\r\n\r\n');
    let status = 200;
    for (const line of whole.subarray(0, at).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.writeHead(status);
    response.end(whole.subarray(at + 4));
  });
}
