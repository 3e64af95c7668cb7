/** The door: who may connect, and how everybody else is turned away. */
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { zProblem, type Problem } from '@makima/contracts/problem';
import { revokeKey } from '@makima/engine/identity/revoke-key';
import { Refused, openSocket, upgradeStatus } from './test/daemon.ts';
import { startGateway, testHouse, testStores } from './test/kit.ts';

async function open(options: Parameters<typeof startGateway>[1] = {}) {
  const stores = await testStores();
  const house = await testHouse(stores);
  const door = await startGateway(stores, options);
  return { house, door, machine: await house.join() };
}

/** A plain request with exactly these headers, duplicates included. */
function rawStatus(port: number, headers: string[], path = '/daemon'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** What a plain request without a key is told. */
function rawProblem(port: number, path: string): Promise<Problem> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers: handshake(port) });
    sent.on('response', (response) => {
      json(response).then((body) => resolve(zProblem.parse(body)), reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

const handshake = (port: number): string[] => [
  'Host',
  `127.0.0.1:${port}`,
  'Connection',
  'Upgrade',
  'Upgrade',
  'websocket',
  'Sec-WebSocket-Version',
  '13',
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
];

describe('the door', () => {
  it('lets in a daemon by its key in one header, and nobody else', async () => {
    const { house, door, machine } = await open();
    const { url, port } = door;
    expect(await upgradeStatus(url, machine.key)).toBe(101);
    expect(await upgradeStatus(url, null)).toBe(401);
    expect(await upgradeStatus(url, house.ownerKey)).toBe(401);
    expect(await upgradeStatus(url, `${machine.key.slice(0, -1)}x`)).toBe(401);
    expect(await upgradeStatus(`${url}?token=${machine.key}`, null)).toBe(401);
    const asked = handshake(port);
    const authorized = (value: string): string[] => [...asked, 'Authorization', value];
    expect(await rawStatus(port, authorized(`Bearer ${machine.key}`))).toBe(101);
    expect(await rawStatus(port, authorized(`bearer ${machine.key}`))).toBe(401);
    expect(await rawStatus(port, authorized(`Basic ${machine.key}`))).toBe(401);
    const twice = [
      ...authorized(`Bearer ${machine.key}`),
      'Authorization',
      `Bearer ${machine.key}`,
    ];
    expect(await rawStatus(port, twice)).toBe(401);
  });

  it('knows no browser, no other name and no other path', async () => {
    const { door, machine } = await open({ allowedHosts: ['gateway', 'makima.example:7401'] });
    const status = (headers: Record<string, string>, url = door.url): Promise<number> =>
      upgradeStatus(url, machine.key, { headers });
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ origin: `http://127.0.0.1:${door.port}` })).toBe(403);
    expect(await status({ host: 'attacker.example' })).toBe(421);
    expect(await status({ host: 'localhost.attacker.example' })).toBe(421);
    expect(await status({ host: 'makima.example:1' })).toBe(421);
    expect(await status({ host: 'makima.example:7401' })).toBe(101);
    expect(await status({ host: 'gateway:9' })).toBe(101);
    expect(await status({}, door.url.replace('/daemon', '/'))).toBe(404);
    expect(await status({}, door.url.replace('/daemon', '//daemon'))).toBe(404);
  });

  it('says no as the API does: a problem with its fix and an id', async () => {
    const { door } = await open();
    const noKey = await rawProblem(door.port, '/daemon');
    expect(noKey).toMatchObject({ type: '/reference/problems#UNAUTHENTICATED', status: 401 });
    expect(noKey).toMatchObject({ fix: expect.stringContaining('Bearer'), retryable: false });
    const elsewhere = await rawProblem(door.port, '/');
    expect(elsewhere).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    expect(elsewhere.requestId).not.toBe(noKey.requestId);
  });

  it('refuses a broken handshake and goes on', async () => {
    const { door, machine } = await open();
    const headers = [...handshake(door.port), 'Authorization', `Bearer ${machine.key}`];
    const broken = headers.map((one) => (one === '13' ? '12' : one));
    expect(await rawStatus(door.port, broken)).toBe(400);
    const noKey = headers.map((one) => (one.startsWith('dGhl') ? 'short' : one));
    expect(await rawStatus(door.port, noKey)).toBe(400);
    expect(await rawStatus(door.port, headers)).toBe(101);
  });

  it('turns a revoked key away', async () => {
    const { house, door, machine } = await open();
    await revokeKey(house.engine, { caller: house.owner }, { id: machine.principal.keyId });
    expect(await upgradeStatus(door.url, machine.key)).toBe(401);
  });

  it('asks those over the rate to come later', async () => {
    const { door, machine } = await open({ perSecond: 5 });
    const tries = await Promise.allSettled(
      Array.from({ length: 30 }, () => openSocket(door.url, machine.key)),
    );
    const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(tries.length - refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThanOrEqual(15);
    for (const reason of refused) {
      expect(reason).toBeInstanceOf(Refused);
      expect((reason as Refused).status).toBe(503);
      expect(Number((reason as Refused).retryAfter)).toBeGreaterThanOrEqual(1);
    }
  });

  it('holds a bounded number of sockets', async () => {
    const { door, machine } = await open({ socketsMax: 2 });
    await openSocket(door.url, machine.key);
    await openSocket(door.url, machine.key);
    expect(await upgradeStatus(door.url, machine.key)).toBe(503);
  });

  it('serves health beside the socket', async () => {
    const { door } = await open();
    const livez = await fetch(`http://127.0.0.1:${door.port}/livez`);
    const readyz = await fetch(`http://127.0.0.1:${door.port}/readyz`);
    expect([livez.status, readyz.status]).toEqual([200, 200]);
    const text = await (await fetch(`http://127.0.0.1:${door.port}/metrics`)).text();
    expect(text).toContain('makima_gateway_sockets');
  });
});
