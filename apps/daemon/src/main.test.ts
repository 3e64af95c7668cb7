/** The daemon's command line: join, start, status, and what it refuses. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDaemon } from './test/daemon-process.ts';
import { createFakeGateway } from './test/gateway.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));
const key = `mk_daemon_${'0'.repeat(32)}_${'k'.repeat(38)}`;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("the daemon's command line", () => {
  let root: string;
  let api: Server;
  let port: number;
  let asked: { url: string | undefined; body: unknown }[];
  let reply: { status: number; body: unknown };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'makima-join-'));
    asked = [];
    reply = { status: 201, body: { daemonId: '0190a0a0-0000-7000-8000-000000000001', key } };
    api = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        asked.push({ url: request.url, body: JSON.parse(text) });
        response.writeHead(reply.status).end(JSON.stringify(reply.body));
      });
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    ({ port } = api.address() as AddressInfo);
  });
  afterEach(async () => {
    api.closeAllConnections();
    api.close();
    await rm(root, { recursive: true, force: true });
  });

  const run = (args: string[], options: { stdin?: string } = {}): Promise<Ran> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env['PATH'],
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        HOME: root,
        MAKIMA_API_URL: `http://127.0.0.1:${port}`,
        MAKIMA_DAEMON_HOME: join(root, 'home'),
        MAKIMA_DAEMON_NAME: 'bench',
      };
      const child = execFile(process.execPath, [program, ...args], { env }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), stdout: out, stderr: err }),
      );
      child.stdin?.end(options.stdin ?? '');
    });

  it('turns a token into a key that only its owner can read', async () => {
    const ran = await run(['join', '--token-stdin'], { stdin: 'once\n' });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toEqual({ daemonId: '0190a0a0-0000-7000-8000-000000000001' });
    expect(asked).toMatchObject([
      { url: '/api/v1/daemons/enrol', body: { token: 'once', name: 'bench' } },
    ]);
    const file = join(root, 'home', 'key');
    expect((await readFile(file, 'utf8')).trim()).toBe(key);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(ran.stdout + ran.stderr).not.toContain(key);
  });

  it('puts the journal of a former identity aside', async () => {
    await mkdir(join(root, 'home', 'journal'), { recursive: true });
    await writeFile(join(root, 'home', 'journal', '0000000001.jsonl'), '');
    expect((await run(['join', '--token', 'once'])).code).toBe(0);
    const names = await readdir(join(root, 'home'));
    expect(names).not.toContain('journal');
    expect(names.filter((name) => name.startsWith('journal-former-'))).toHaveLength(1);
  });

  it('says in one sentence why it could not', async () => {
    reply = { status: 409, body: { title: 'Conflict', detail: 'This token was used already.' } };
    expect(await run(['join', '--token', 'twice'])).toMatchObject({
      code: 1,
      stderr: 'This token was used already.\n',
    });
    api.closeAllConnections();
    api.close();
    const ran = await run(['join', '--token', 'x', '--api', `http://127.0.0.1:${port}`]);
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stderr).toMatch(/cannot be reached/);
    expect((await run(['start'])).stderr).toMatch(/not enrolled/);
  });

  it('is called wrongly with exit code 2', async () => {
    expect(await run([])).toMatchObject({ code: 2 });
    expect(await run(['explode'])).toMatchObject({ code: 2 });
    expect(await run(['join'])).toMatchObject({ code: 2 });
  });

  it('tells how the running daemon fares', async () => {
    expect(await run(['status'])).toMatchObject({ code: 1 });
    const gateway = await createFakeGateway();
    const daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: { MAKIMA_DAEMON_HOME: join(root, 'home') },
    });
    try {
      await mkdir(join(root, 'home'), { recursive: true });
      await writeFile(join(root, 'home', 'key'), 'test-daemon-key');
      await daemon.start();
      const ran = await run(['status']);
      expect(ran.code).toBe(0);
      expect(JSON.parse(ran.stdout)).toMatchObject({ pid: daemon.pid, running: [] });
      expect((await run(['join', '--token', 'x'])).stderr).toMatch(/stop it first/);
    } finally {
      await daemon.drop();
      await gateway.stop();
    }
  });
});
