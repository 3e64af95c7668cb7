/** Tickets of monitors: what a browser opens its socket with, once, soon, and as the key that asked for it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monitorPath, monitorProtocol } from '@makima/contracts/entity/monitor';
import { pruneExpired } from '@makima/engine/retention/prune';
import { moveClock } from '@makima/engine/test-clock';
import { chromium, startBrowser, type Browser } from '../testing/browser.ts';
import { dial, eventsOf, monitor, openMonitor, refusedDial } from '../testing/monitor.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import {
  joinMachine,
  startedContract,
  strangerKey,
  type TestContract,
} from '../testing/test-house.ts';

let api: TestApi;
let contract: TestContract;
beforeAll(async () => {
  api = await startTestApi({ monitorTimes: { idleMs: 300 } });
  contract = await startedContract(api, await joinMachine(api));
});
afterAll(() => api.stop());

async function ticket(key = api.ownerKey): Promise<string[]> {
  const answer = await api.send('POST', `${monitorPath}/tickets`, { key });
  expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
  return answer.json.protocols;
}
/** As a page of this server would open it. */
const fromHere = (protocols: readonly string[]) => ({
  port: api.port,
  protocols,
  headers: { origin: `http://127.0.0.1:${api.port}` },
});
const refused = { status: 401, code: 'UNAUTHENTICATED' };
const put = (targetStatus: string) =>
  api.send('POST', `/api/v1/contracts/${contract.detail.id}/status`, {
    key: api.ownerKey,
    body: { targetStatus, reason: 'test' },
  });

describe('a ticket', () => {
  it('opens a monitor of the one who asked for it, and is not told back', async () => {
    const protocols = await ticket();
    expect(protocols.join()).not.toContain(api.ownerKey);
    const ours = await monitor(fromHere(protocols));
    expect(ours.socket.protocol).toBe(monitorProtocol);
    const { key } = await strangerKey(api.engine);
    const theirs = await monitor(fromHere(await ticket(key)), {
      contract_ids: [contract.detail.id],
    });
    await put('paused');
    await put('active');
    await ours.until((told) => told.filter((one) => one.type === 'status_changed').length === 2);
    expect(eventsOf(theirs.told)).toEqual([]);
    await Promise.all([ours.close(), theirs.close()]);
  });

  it('is worth nothing after one use, also when two come at once', async () => {
    const protocols = await ticket();
    const ends = await Promise.all(
      Array.from({ length: 5 }, () => {
        const socket = dial(fromHere(protocols));
        return new Promise((resolve) => {
          socket.once('open', () => {
            socket.terminate();
            resolve('open');
          });
          socket.once('unexpected-response', (_request, response) => {
            response.resume();
            resolve(response.statusCode);
          });
        });
      }),
    );
    expect(ends.map(String).toSorted()).toEqual(['401', '401', '401', '401', 'open']);
    // What is over was cleared away, and whoever comes now began in time or by a clock that was set back.
    await moveClock(api.engine, '31 seconds');
    await pruneExpired(api.engine, { limit: 1_000 });
    await moveClock(api.engine, '0');
    expect(await refusedDial(fromHere(protocols))).toEqual(refused);
  });

  it('is worth nothing after its time', async () => {
    const protocols = await ticket();
    await moveClock(api.engine, '31 seconds');
    expect(await refusedDial(fromHere(protocols))).toEqual(refused);
    await moveClock(api.engine, '0');
  });

  it('stays good when a page of another site, or a wrong name, came with it', async () => {
    const protocols = await ticket();
    const origin = 'https://attacker.example';
    expect(await refusedDial({ ...fromHere(protocols), headers: { origin } })).toMatchObject({
      status: 403,
    });
    const headers = { host: 'attacker.example' };
    expect(await refusedDial({ ...fromHere(protocols), headers })).toMatchObject({ status: 421 });
    await (await monitor(fromHere(protocols))).close();
  });

  it('comes alone, whole, and where it belongs', async () => {
    const [protocol = '', one = ''] = await ticket();
    const [, other = ''] = await ticket();
    expect(await refusedDial(fromHere([one]))).toMatchObject({ status: 400 });
    expect(await refusedDial(fromHere([protocol, one, other]))).toEqual(refused);
    expect(await refusedDial({ ...fromHere([protocol, one]), key: api.ownerKey })).toEqual(refused);
    const forged = `${one.slice(0, -5)}${one.endsWith('AAAAA') ? 'BBBBB' : 'AAAAA'}`;
    expect(await refusedDial(fromHere([protocol, forged]))).toEqual(refused);
    const path = `${monitorPath}?ticket=${one.slice('makima.ticket.'.length)}`;
    expect(await refusedDial({ ...fromHere([]), path })).toEqual(refused);
    // None of that used it up.
    await (await monitor(fromHere([protocol, one]))).close();
  });

  it('dies with its key, before it opens and after', async () => {
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'page', scopes: ['read'] },
    });
    const watching = await monitor(fromHere(await ticket(made.json.key)));
    const unused = await ticket(made.json.key);
    await api.send('DELETE', `/api/v1/keys/${made.json.info.id}`, { key: api.ownerKey });
    expect(await watching.closed).toMatchObject({ code: 4401 });
    expect(await refusedDial(fromHere(unused))).toEqual(refused);
  });
});

it('a socket with a key may name any protocol, and is answered one of them', async () => {
  const named = await openMonitor({ port: api.port, key: api.ownerKey, protocols: ['mine'] });
  expect(named.socket.protocol).toBe('mine');
  await named.close();
});

describe.skipIf(chromium === undefined)('a page in a real browser', () => {
  /** A page of another site: any other port is one. */
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>another</title>');
  });
  let browser: Browser;
  beforeAll(async () => {
    site.listen(0, '127.0.0.1');
    [browser] = await Promise.all([startBrowser(), once(site, 'listening')]);
  }, 30_000);
  afterAll(async () => {
    await browser.stop();
    site.close();
  });
  const address = (port: number, path = '/') => `http://127.0.0.1:${port}${path}`;
  /** In the page: opens a socket, and what became of it; if it opens, the first change that it is told. */
  const follow = (protocols: readonly string[]) => `new Promise((resolve) => {
    const socket = new WebSocket('ws://127.0.0.1:${api.port}${monitorPath}', ${JSON.stringify(protocols)});
    socket.onopen = () => socket.send('{}');
    socket.onclose = ({ code }) => resolve({ closed: code });
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(data);
      if (told.type === 'ready') document.title = 'ready';
      if (told.type !== 'status_changed') return;
      resolve({ protocol: socket.protocol, told });
      socket.close();
    };
  })`;

  it('of this server asks for a ticket, opens a socket with it, and is told what happens', async () => {
    const page = await browser.open(address(api.port, '/reference/problems'));
    const asked = await page.evaluate(`fetch('${monitorPath}/tickets', {
      method: 'POST',
      headers: { authorization: 'Bearer ${api.ownerKey}' },
    }).then((answer) => answer.json())`);
    const { protocols } = asked as { protocols: string[] };
    const seen = page.evaluate(follow(protocols));
    await expect.poll(() => page.evaluate('document.title')).toBe('ready');
    await put('paused');
    expect(await seen).toMatchObject({
      protocol: monitorProtocol,
      told: { contract_id: contract.detail.id, old_status: 'active', new_status: 'paused' },
    });
    await put('active');
  });

  it('of another site is refused, with a good ticket too, and can ask for none', async () => {
    const page = await browser.open(address((site.address() as AddressInfo).port));
    const protocols = await ticket();
    expect(await page.evaluate(follow(protocols))).toEqual({ closed: 1006 });
    const asked = `fetch('${address(api.port, `${monitorPath}/tickets`)}', {
      method: 'POST',
      headers: { authorization: 'Bearer ${api.ownerKey}' },
    }).then(() => 'answered', (error) => error.name)`;
    expect(await page.evaluate(asked)).toBe('TypeError');
    // Its ticket was good, and still is where it belongs.
    await (await monitor(fromHere(protocols))).close();
  });
});
