/** One socket: hello, takeovers, revocation, silence, slowness, and what a rude daemon can do (nothing). */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findDaemon } from '@makima/db/repo/daemons';
import { revokeDaemon } from '@makima/engine/identity/daemons';
import { revokeKey } from '@makima/engine/identity/revoke-key';
import { testHello } from '@makima/engine/test/house';
import { connect, openSocket } from './test/daemon.ts';
import { startGateway, testHouse, testStores } from './test/kit.ts';

async function open(options: Parameters<typeof startGateway>[1] = {}) {
  const stores = await testStores();
  const house = await testHouse(stores);
  const door = await startGateway(stores, options);
  return { stores, house, door, machine: await house.join() };
}

const beat = (number: number) => ({
  type: 'heartbeat' as const,
  beat: number,
  running: [],
  freeDiskBytes: 1,
});

describe('a connection', () => {
  it('is welcomed after its hello, and is a row then', async () => {
    const { house, door, machine } = await open();
    const daemon = await connect(door.url, machine);
    const { daemonId } = machine.principal;
    expect(daemon.welcome).toMatchObject({ daemonId, sessionEpoch: 1, reportAck: 0, keep: [] });
    const row = await findDaemon(house.engine.database.sql, {
      ownerId: house.ownerId,
      id: daemonId,
    });
    expect(row).toMatchObject({
      status: 'connected',
      sessionEpoch: 1,
      gatewayId: door.gateway.gatewayId,
    });
    daemon.send(beat(7));
    expect(await daemon.frame('lease')).toMatchObject({ beat: 7, leaseMs: 60_000, fenced: [] });
  });

  it('says that it is gone when it goes', async () => {
    const { house, door, machine } = await open();
    const daemon = await connect(door.url, machine);
    const [connection] = door.gateway.registry.all;
    daemon.close();
    await connection?.over;
    const about = { ownerId: house.ownerId, id: machine.principal.daemonId };
    const row = await findDaemon(house.engine.database.sql, about);
    expect(row).toMatchObject({ status: 'disconnected', gatewayId: null });
  });

  it('fences attempts that are not its own', async () => {
    const { door, machine } = await open();
    const stranger = { taskId: randomUUID(), attempt: 1 };
    const daemon = await connect(door.url, machine, { running: [stranger] });
    expect(daemon.welcome.fenced).toEqual([stranger]);
    daemon.send({ ...beat(1), running: [stranger] });
    expect((await daemon.frame('lease')).fenced).toEqual([stranger]);
  });

  it('ends when no hello comes, and when something else comes first', async () => {
    const { door, machine } = await open({ timings: { helloMs: 50 } });
    const silent = await openSocket(door.url, machine.key);
    expect(await silent.closed).toMatchObject({ code: 4408 });
    const early = await openSocket(door.url, machine.key);
    early.send(beat(1));
    expect(await early.closed).toMatchObject({ code: 4400 });
    const twice = await openSocket(door.url, machine.key);
    twice.send(testHello());
    twice.send(testHello());
    expect(await twice.closed).toMatchObject({ code: 4400 });
    const future = await openSocket(door.url, machine.key);
    future.send(testHello({ protocol: 99 }));
    expect(await future.closed).toMatchObject({ code: 4400 });
  });

  it('gives way to a newer one of the same daemon', async () => {
    const { door, machine } = await open();
    const older = await connect(door.url, machine);
    const newer = await connect(door.url, machine);
    expect(await older.closed).toMatchObject({ code: 4409 });
    expect(newer.welcome.sessionEpoch).toBe(2);
    newer.send(beat(1));
    await newer.frame('lease');
  });

  it('gives way to a newer one at another gateway, within a scan even without hints', async () => {
    const { stores, door, machine } = await open();
    const other = await startGateway(stores);
    const older = await connect(door.url, machine);
    const newer = await connect(other.url, machine);
    expect(await older.closed).toMatchObject({ code: 4409 });
    expect(newer.welcome.sessionEpoch).toBe(2);
    await other.wire.pubsub.close();
    const newest = await connect(other.url, machine);
    expect(await newer.closed).toMatchObject({ code: 4409 });
    newest.send(beat(1));
    await newest.frame('lease');
  });

  it('is fenced by the rows even when no scan and no hint came', async () => {
    const { stores, door, machine } = await open({ timings: { scanMs: 60_000 } });
    const other = await startGateway(stores);
    const older = await connect(door.url, machine);
    await door.wire.pubsub.close();
    await connect(other.url, machine);
    older.send(beat(1));
    expect(await older.closed).toMatchObject({ code: 4409 });
  });

  it('sends two copies of one daemon away when they push each other out', async () => {
    const { door, machine } = await open();
    const boots = [randomUUID(), randomUUID()];
    const sockets = [];
    for (let turn = 0; turn < 4; turn += 1) {
      sockets.push(await connect(door.url, machine, { bootId: boots[turn % 2] ?? '' }));
    }
    const last = await openSocket(door.url, machine.key);
    last.send(testHello({ bootId: boots[0] ?? '' }));
    expect(await last.closed).toMatchObject({ code: 4409 });
    expect(await sockets.at(-1)?.closed).toMatchObject({ code: 4409 });
  });

  it('ends within the scan when its key or its daemon is revoked', async () => {
    const { house, door, machine } = await open();
    const other = await house.join();
    const [first, second] = [await connect(door.url, machine), await connect(door.url, other)];
    const call = { caller: house.owner };
    await revokeKey(house.engine, call, { id: machine.principal.keyId });
    expect(await first.closed).toMatchObject({ code: 4401 });
    await revokeDaemon(house.engine, call, { id: other.principal.daemonId });
    expect(await second.closed).toMatchObject({ code: 4401 });
  });

  it('is dead after two pings without an answer', async () => {
    const { door, machine } = await open({ timings: { pingMs: 50 } });
    const daemon = await connect(door.url, machine);
    const [connection] = door.gateway.registry.all;
    daemon.socket.pause();
    await connection?.over;
    expect(door.gateway.registry.all.size).toBe(0);
  });

  it('comes back at once when the rows gave it up although it lives', async () => {
    const { house, door, machine } = await open();
    const daemon = await connect(door.url, machine);
    await house.engine.database.sql`update daemons set status = 'disconnected'`;
    expect(await daemon.closed).toMatchObject({ code: 4503 });
  });
});

describe('a malformed frame', () => {
  const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const hello = JSON.stringify(testHello());
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ['truncated JSON', '{"type":"heartbeat","beat":'],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['NaN', '{"type":"heartbeat","beat":NaN,"running":[],"freeDiskBytes":null}'],
    ['wrong types', '{"type":"heartbeat","beat":"1","running":{},"freeDiskBytes":[]}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['an unknown type', '{"type":"shutdown"}'],
    ['a type of the prototype', '{"type":"__proto__"}'],
    ['an unknown key', '{"type":"ack","commandSeq":1,"owner":"me"}'],
    ['__proto__', '{"type":"ack","commandSeq":1,"__proto__":{"polluted":true}}'],
    ['constructor', '{"type":"ack","commandSeq":1,"constructor":{"prototype":{"polluted":true}}}'],
    ['deep nesting', `{"type":"ack","commandSeq":${deep(100_000)}}`],
    ['a large key', `{"${'k'.repeat(900_000)}":1}`],
    ['a second hello', hello],
    ['NUL', '{"type":"ack\u0000","commandSeq":1}'],
    ['a lone surrogate', '{"type":"\\ud800","commandSeq":1}'],
    ['a fraction', '{"type":"ack","commandSeq":1.5}'],
    ['a negative number', '{"type":"ack","commandSeq":-1}'],
    ['a number too large', '{"type":"ack","commandSeq":1e300}'],
    ['a wrong id', '{"type":"ask","askId":"1","ask":{"kind":"tool-key","taskId":"2","attempt":1}}'],
  ];

  it('ends its own socket with 4400 and nothing else', async () => {
    const { door, house, machine } = await open({ perSecond: 1_000 });
    const good = await connect(door.url, machine);
    const rude = await house.join();
    for (const [what, data] of cases) {
      const daemon = await connect(door.url, rude);
      daemon.raw(data);
      expect({ what, ...(await daemon.closed) }).toMatchObject({ what, code: 4400 });
    }
    const binary = await connect(door.url, rude);
    binary.raw(Buffer.from('{"type":"ack","commandSeq":1}'), { binary: true });
    expect(await binary.closed).toMatchObject({ code: 4400 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    good.send(beat(1));
    await good.frame('lease');
  });

  it('ends its own socket when it is not text, too large or cut into crumbs', async () => {
    const { door, house, machine } = await open();
    const good = await connect(door.url, machine);
    const rude = await house.join();
    const large = await connect(door.url, rude);
    large.raw(`"${'x'.repeat(10 * 1_048_576)}"`);
    expect([1_009, 1_006]).toContain((await large.closed).code);
    const garbled = await connect(door.url, rude);
    // A text frame whose bytes are no UTF-8; the mask is nothing.
    const frame = [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28];
    (garbled.socket as unknown as { _socket: { write(b: Buffer): void } })._socket.write(
      Buffer.from(frame),
    );
    expect([1_007, 1_006]).toContain((await garbled.closed).code);
    const crumbs = await connect(door.url, rude);
    const over = new AbortController();
    void crumbs.closed.then(() => over.abort());
    for (let n = 0; n < 1_000_000 && !over.signal.aborted; n += 1) {
      crumbs.socket.send('1', { fin: false });
      if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect([1_008, 1_006]).toContain((await crumbs.closed).code);
    good.send(beat(1));
    await good.frame('lease');
  });

  it('cannot come out of texts that agents print', async () => {
    const { door, machine } = await open();
    const daemon = await openSocket(door.url, machine.key);
    daemon.send(testHello({ host: 'nul\0and\ud800lone', journalId: machine.journalId }));
    await daemon.frame('welcome');
  });
});
