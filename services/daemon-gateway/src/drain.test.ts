/** The way out, and the end without one: real processes, signals, and daemons that go elsewhere. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendCommand, findDaemon } from '@makima/db/repo/daemons';
import { inTransaction } from '@makima/db/tx';
import { endedReport, startedReport, type House } from '@makima/engine/test/house';
import { startProcess } from '@makima/runtime/test-process';
import { connect, upgradeStatus } from './test/daemon.ts';
import { onEnd, startGateway, testHouse, testStores, type Stores } from './test/kit.ts';

const main = join(import.meta.dirname, 'main.ts');

async function startMain(stores: Stores) {
  const child = startProcess(main, {
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
  });
  onEnd(() => child.stop());
  await child.line('started');
  return { child, url: `ws://127.0.0.1:${await child.port()}/daemon` };
}

async function open() {
  const stores = await testStores();
  return { stores, house: await testHouse(stores) };
}

async function tellStop(house: House, daemonId: string, taskId: string): Promise<void> {
  const { ownerId } = house;
  const command = { kind: 'task.stop', taskId, attempt: 1, reason: 'paused', graceMs: 1 } as const;
  await inTransaction(house.engine.database, async (tx) => {
    await appendCommand(tx, { ownerId, daemonId, command, taskId, attempt: 1 });
  });
}

describe('a gateway that leaves', () => {
  it('sends its daemons away, then closes them, and takes no new ones', async () => {
    const { stores, house } = await open();
    const door = await startGateway(stores);
    const polite = await connect(door.url, await house.join());
    const stubborn = await connect(door.url, await house.join());
    void polite.frame('goaway').then(() => polite.close());
    const stopped = door.stop();
    expect((await stubborn.frame('goaway')).afterMs).toBeLessThan(1_000);
    expect(await upgradeStatus(door.url, 'mk_daemon_'.padEnd(80, 'x'))).toBe(503);
    expect(await stubborn.closed).toMatchObject({ code: 4503 });
    expect(await polite.closed).toMatchObject({ code: 1000 });
    await stopped;
    const { sql } = house.engine.database;
    const rows = await sql<{ status: string }[]>`select status from daemons`;
    expect(rows.map((row) => row.status)).toEqual(['disconnected', 'disconnected']);
  });

  it('as a process drains on SIGTERM and exits 0', async () => {
    const { stores, house } = await open();
    const { child, url } = await startMain(stores);
    const daemon = await connect(url, await house.join());
    child.signal('SIGTERM');
    await daemon.frame('goaway');
    expect(await daemon.closed).toMatchObject({ code: 4503 });
    expect(await child.ended).toBe(0);
  });

  it('starts without stores, is not ready, and stops when told to', async () => {
    const nowhere = {
      databaseUrl: 'postgres://x:y@127.0.0.1:1/z',
      redisUrl: 'redis://127.0.0.1:1',
    };
    const { child, url } = await startMain(nowhere);
    const http = url.replace('ws:', 'http:').replace('/daemon', '');
    expect((await fetch(`${http}/livez`)).status).toBe(200);
    expect((await fetch(`${http}/readyz`)).status).toBe(503);
    const key = `mk_daemon_${'0'.repeat(32)}_${'x'.repeat(38)}`;
    expect([401, 503]).toContain(await upgradeStatus(url, key));
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });
});

describe('a gateway that is killed', () => {
  it('costs nothing: its daemons go on at another, commands and reports included', async () => {
    const { stores, house } = await open();
    const [doomed, other] = await Promise.all([startMain(stores), startMain(stores)]);
    const machine = await house.join();
    const daemon = await connect(doomed.url, machine);
    await house.contract();
    const [task] = await house.assign();
    if (task === undefined) throw new Error('nothing was placed');
    await daemon.frame('commands');
    const { journalId } = machine;
    const reports = [startedReport(task), endedReport(task, { outcome: 'done' })];
    daemon.send({ type: 'reports', journalId, fromSeq: 1, reports: reports.slice(0, 1) });
    await daemon.frame('ack', (ack) => ack.reportSeq === 1);
    daemon.send({ type: 'reports', journalId, fromSeq: 2, reports: reports.slice(1) });
    doomed.child.signal('SIGKILL');
    await daemon.closed;
    await tellStop(house, machine.principal.daemonId, task.taskId);

    const again = await connect(other.url, machine, { running: [task], lastCommandSeq: 1 });
    const { reportAck } = again.welcome;
    expect([1, 2]).toContain(reportAck);
    again.send({ type: 'reports', journalId, fromSeq: 1, reports });
    await again.frame('ack', (ack) => ack.reportSeq === 2);
    await again.frame('commands', (frame) => frame.commands.some((one) => one.seq === 2));
    expect(again.commands).toEqual([2]);
    const { sql } = house.engine.database;
    const ended = await sql`select 1 from events where type = 'task.completed'`;
    expect(ended).toHaveLength(1);
    const about = { ownerId: house.ownerId, id: machine.principal.daemonId };
    expect(await findDaemon(sql, about)).toMatchObject({ status: 'connected', sessionEpoch: 2 });
  });
});
