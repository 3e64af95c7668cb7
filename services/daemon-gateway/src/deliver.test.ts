/** Commands: everything unacked once and in order, whatever happens to hints, sockets and gateways. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { channels } from '@makima/contracts/channels';
import { supervisorHeartbeats } from '@makima/engine/supervisor/heartbeats';
import type { Command } from '@makima/contracts/socket/commands';
import { appendCommand } from '@makima/db/repo/daemons';
import { inTransaction } from '@makima/db/tx';
import type { House, Machine } from '@makima/engine/test/house';
import { framesOf } from './deliver.ts';
import { connect, type TestDaemon } from './test/daemon.ts';
import { startGateway, testHouse, testStores } from './test/kit.ts';

async function open(options: Parameters<typeof startGateway>[1] = {}) {
  const stores = await testStores();
  const house = await testHouse(stores);
  const door = await startGateway(stores, options);
  return { stores, house, door, machine: await house.join() };
}

function message(text = 'go on'): Command {
  return {
    kind: 'task.message',
    taskId: randomUUID(),
    attempt: 1,
    message: { id: randomUUID(), text, mode: 'queue' },
  };
}

/** Rows only: nobody is woken. */
async function tell(house: House, machine: Machine, commands: readonly Command[]): Promise<void> {
  const { daemonId, ownerId } = machine.principal;
  await inTransaction(house.engine.database, async (tx) => {
    for (const command of commands) {
      await appendCommand(tx, { ownerId, daemonId, command, taskId: null, attempt: null });
    }
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const has = (seq: number) => (frame: { commands: readonly { seq: number }[] }) =>
  frame.commands.some((one) => one.seq === seq);

async function unacked(house: House): Promise<number[]> {
  const rows = await house.engine.database.sql<{ seq: number }[]>`
    select seq from daemon_commands where acked_at is null order by seq`;
  return rows.map((row) => row.seq);
}

/** An ack has no answer; a question sent after it has, and both are handled by then. */
async function acked(daemon: TestDaemon, house: House, seq: number): Promise<void> {
  daemon.send({ type: 'ack', commandSeq: seq });
  for (;;) {
    const rest = await unacked(house);
    if (rest.every((one) => one > seq)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('delivery', () => {
  it('gives a fresh connection everything that is not acked, once and in order', async () => {
    const { house, door, machine } = await open();
    await tell(
      house,
      machine,
      upTo(120).map(() => message()),
    );
    const daemon = await connect(door.url, machine);
    await daemon.frame('commands', has(120));
    expect(daemon.commands).toEqual(upTo(120));
    await acked(daemon, house, 70);
    daemon.close();
    const again = await connect(door.url, machine, { lastCommandSeq: 80 });
    await again.frame('commands', has(120));
    expect(again.commands).toEqual(upTo(120).slice(80));
    expect(await unacked(house)).toEqual(upTo(120).slice(80));
  });

  it('is woken by a hint, and by the scan when the hint is lost', async () => {
    const { house, door, machine } = await open({ timings: { scanMs: 60_000 } });
    const daemon = await connect(door.url, machine);
    await tell(house, machine, [message()]);
    const wake = { channel: channels.daemonWake(machine.principal.daemonId), body: '' };
    door.wire.pubsub.publish([wake]);
    await daemon.frame('commands', has(1));
    await tell(house, machine, [message(), message()]);
    await door.gateway.tick();
    await daemon.frame('commands', has(3));
    await door.gateway.tick();
    expect(daemon.commands).toEqual([1, 2, 3]);
  });

  it('starts what the placement gave to the machine', async () => {
    const { house, door, machine } = await open();
    const daemon = await connect(door.url, machine);
    const contract = await house.contract();
    await house.assign();
    await door.gateway.tick();
    const { commands } = await daemon.frame('commands');
    expect(commands[0]?.command).toMatchObject({ kind: 'task.start', contractId: contract.id });
    // From then on its beats are kept as heartbeats of the supervisor, without holding up their answer.
    const taskId = contract.supervisorTaskId ?? '';
    daemon.send({
      type: 'heartbeat',
      beat: 1,
      running: [{ taskId, attempt: 1 }],
      freeDiskBytes: null,
    });
    expect((await daemon.frame('lease')).renewed).toEqual([{ taskId, attempt: 1 }]);
    const { engine, owner } = house;
    await expect
      .poll(() => supervisorHeartbeats(engine, owner, { id: contract.id, limit: 5 }))
      .toMatchObject({ heartbeats: [{ state: 'initializing', phase: contract.phase }] });
  });

  it('sends again what was not acked in time', async () => {
    const { house, door, machine } = await open({ timings: { scanMs: 60_000 } });
    const daemon = await connect(door.url, machine);
    await tell(
      house,
      machine,
      upTo(3).map(() => message()),
    );
    await door.gateway.tick();
    await daemon.frame('commands', has(3));
    await acked(daemon, house, 1);
    const [connection] = door.gateway.registry.all;
    connection?.talk?.tick(performance.now() + 31_000);
    const again = await daemon.frame('commands', (frame) => frame.commands[0]?.seq === 2);
    expect(again.commands.map((one) => one.seq)).toEqual([2, 3]);
    daemon.send({ type: 'ack', commandSeq: 999 });
    await acked(daemon, house, 3);
    await tell(house, machine, [message()]);
    await door.gateway.tick();
    await daemon.frame('commands', has(4));
  });

  it('cuts frames at their size and lets a large command go alone', () => {
    const large = message('x'.repeat(400_000));
    const frames = framesOf(
      [large, large, message(), message()].map((command, i) => ({ seq: i + 1, command })),
    );
    expect(frames.map((frame) => frame.map((one) => one.seq))).toEqual([[1], [2, 3, 4]]);
    const huge = message('x'.repeat(2_000_000));
    expect(framesOf([{ seq: 1, command: huge }])).toHaveLength(1);
  });

  it('fetches nothing more for a daemon that does not read, and closes it at the cap', async () => {
    const { house, door, machine } = await open({
      timings: { pingMs: 60_000, backlogBytes: 100_000, capBytes: 300_000 },
    });
    const daemon = await connect(door.url, machine);
    daemon.socket.pause();
    await tell(
      house,
      machine,
      upTo(400).map(() => message('x'.repeat(60_000))),
    );
    const [connection] = door.gateway.registry.all;
    await door.gateway.tick();
    expect(connection?.bufferedBytes).toBeLessThan(8_000_000);
    // Beats are answered although nobody reads, until the cap.
    while (connection?.talk !== undefined) {
      daemon.send({ type: 'heartbeat', beat: 1, running: [], freeDiskBytes: null });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    daemon.socket.resume();
    const slow = await daemon.closed;
    expect(slow.code === 4408 || slow.code === 1006).toBe(true);
    const again = await connect(door.url, machine);
    await again.frame('commands', has(400));
    expect(again.commands).toEqual(upTo(400));
  });
});

describe('two gateways', () => {
  it('deliver each command once, over the newest connection', async () => {
    const { stores, house, door, machine } = await open();
    const other = await startGateway(stores);
    const first = await connect(door.url, machine);
    await tell(house, machine, [message()]);
    await door.gateway.tick();
    await first.frame('commands', has(1));
    await acked(first, house, 1);
    const second = await connect(other.url, machine, { lastCommandSeq: 1 });
    await first.closed;
    await tell(house, machine, [message()]);
    await Promise.all([door.gateway.tick(), other.gateway.tick()]);
    await second.frame('commands', has(2));
    expect([first.commands, second.commands]).toEqual([[1], [2]]);
  });
});
