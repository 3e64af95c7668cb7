/**
 * A real browser for tests: Chromium without a window, led by its own protocol. For what only a browser does by
 * itself: Origin, a page's policy, protocols of sockets.
 *
 * Law: a profile of its own that goes away with it; it reaches 127.0.0.1 and nothing else. Where there is no
 * Chromium, whoever needs it is skipped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Its program; undefined where there is none. */
export const chromium: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

export interface Page {
  /** What an expression of JavaScript is worth in the page, once it is settled. */
  evaluate(expression: string): Promise<unknown>;
}

export interface Browser {
  /** A page whose document has loaded. */
  open(url: string): Promise<Page>;
  stop(): Promise<void>;
}

export async function startBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'makima-browser-'));
  const child = spawn(chromium ?? '', [...manners, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: profile, TMPDIR: tmpdir() },
  });
  const ended = once(child, 'exit');
  const call = await talk(await addressOf(createInterface(child.stderr)));
  return {
    async open(url) {
      const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
      const attached = await call('Target.attachToTarget', { targetId, flatten: true });
      const sessionId = String(attached['sessionId']);
      await call('Page.enable', {}, sessionId);
      const loaded = call.event('Page.loadEventFired', sessionId);
      await call('Page.navigate', { url }, sessionId);
      await loaded;
      return {
        async evaluate(expression) {
          const params = { expression, awaitPromise: true, returnByValue: true };
          const { result, exceptionDetails } = await call('Runtime.evaluate', params, sessionId);
          if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
          return result.value;
        },
      };
    },
    async stop() {
      await call('Browser.close');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** It runs as root in containers, where its own sandbox cannot; it asks nobody for anything by itself. */
const manners = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--remote-debugging-port=0',
];

async function addressOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('the browser ended before it listened');
}

type Answer = Record<string, any>;
interface Call {
  (method: string, params?: object, sessionId?: string): Promise<Answer>;
  /** The next event of this name. */
  event(name: string, sessionId: string): Promise<void>;
}

async function talk(address: string): Promise<Call> {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  const answers = new Map<number, PromiseWithResolvers<Answer>>();
  const events = new Map<string, () => void>();
  let lastId = 0;
  socket.on('message', (data: Buffer) => {
    const said = JSON.parse(data.toString('utf8')) as Answer;
    const { id, result, error, method, sessionId } = said;
    if (id === undefined) events.get(`${sessionId} ${method}`)?.();
    else if (error === undefined) answers.get(id)?.resolve(result);
    else answers.get(id)?.reject(new Error(JSON.stringify(error)));
  });
  await once(socket, 'open');
  const call = (method: string, params: object = {}, sessionId?: string): Promise<Answer> => {
    lastId += 1;
    const answer = Promise.withResolvers<Answer>();
    answers.set(lastId, answer);
    socket.send(JSON.stringify({ id: lastId, method, params, sessionId }));
    return answer.promise;
  };
  return Object.assign(call, {
    event: (name: string, sessionId: string): Promise<void> =>
      new Promise((resolve) => events.set(`${sessionId} ${name}`, resolve)),
  });
}
