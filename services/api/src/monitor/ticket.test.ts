/** Tickets of monitors: what a browser opens its socket with, once, soon, and as the key that asked for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monitorPath, monitorProtocol } from '@makima/contracts/entity/monitor';
import { pruneExpired } from '@makima/engine/retention/prune';
import { moveClock } from '@makima/engine/test-clock';
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
const page = (protocols: readonly string[]) => ({
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
    const ours = await monitor(page(protocols));
    expect(ours.socket.protocol).toBe(monitorProtocol);
    const { key } = await strangerKey(api.engine);
    const theirs = await monitor(page(await ticket(key)), {
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
        const socket = dial(page(protocols));
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
    expect(await refusedDial(page(protocols))).toEqual(refused);
  });

  it('is worth nothing after its time', async () => {
    const protocols = await ticket();
    await moveClock(api.engine, '31 seconds');
    expect(await refusedDial(page(protocols))).toEqual(refused);
    await moveClock(api.engine, '0');
  });

  it('stays good when a page of another site, or a wrong name, came with it', async () => {
    const protocols = await ticket();
    const origin = 'https://attacker.example';
    expect(await refusedDial({ ...page(protocols), headers: { origin } })).toMatchObject({
      status: 403,
    });
    const headers = { host: 'attacker.example' };
    expect(await refusedDial({ ...page(protocols), headers })).toMatchObject({ status: 421 });
    await (await monitor(page(protocols))).close();
  });

  it('comes alone, whole, and where it belongs', async () => {
    const [protocol = '', one = ''] = await ticket();
    const [, other = ''] = await ticket();
    expect(await refusedDial(page([one]))).toMatchObject({ status: 400 });
    expect(await refusedDial(page([protocol, one, other]))).toEqual(refused);
    expect(await refusedDial({ ...page([protocol, one]), key: api.ownerKey })).toEqual(refused);
    const forged = `${one.slice(0, -5)}${one.endsWith('AAAAA') ? 'BBBBB' : 'AAAAA'}`;
    expect(await refusedDial(page([protocol, forged]))).toEqual(refused);
    const path = `${monitorPath}?ticket=${one.slice('makima.ticket.'.length)}`;
    expect(await refusedDial({ ...page([]), path })).toEqual(refused);
    // None of that used it up.
    await (await monitor(page([protocol, one]))).close();
  });

  it('dies with its key, before it opens and after', async () => {
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'page', scopes: ['read'] },
    });
    const watching = await monitor(page(await ticket(made.json.key)));
    const unused = await ticket(made.json.key);
    await api.send('DELETE', `/api/v1/keys/${made.json.info.id}`, { key: api.ownerKey });
    expect(await watching.closed).toMatchObject({ code: 4401 });
    expect(await refusedDial(page(unused))).toEqual(refused);
  });
});

it('a socket with a key may name any protocol, and is answered one of them', async () => {
  const named = await openMonitor({ port: api.port, key: api.ownerKey, protocols: ['mine'] });
  expect(named.socket.protocol).toBe('mine');
  await named.close();
});
