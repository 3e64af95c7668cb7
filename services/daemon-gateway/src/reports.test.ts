/** Reports: applied once and in order, acked after the commit, patient with a store that is away. */
import { describe, expect, it } from 'vitest';
import { openProxy } from '@makima/bus/test-proxy';
import { findTask } from '@makima/db/repo/tasks';
import type { OutputLine, Report } from '@makima/contracts/socket/reports';
import { endedReport, startedReport, type House, type Machine } from '@makima/engine/test/house';
import { connect } from './test/daemon.ts';
import { onEnd, startGateway, testHouse, testStores } from './test/kit.ts';

async function open(options: Parameters<typeof startGateway>[1] = {}) {
  const stores = await testStores();
  const house = await testHouse(stores);
  const proxy = await openProxy(stores.databaseUrl);
  // The gateway is stopped before it: last in, first out.
  onEnd(() => proxy.close());
  const door = await startGateway({ ...stores, databaseUrl: proxy.url }, options);
  const machine = await house.join();
  const daemon = await connect(door.url, machine);
  await house.contract();
  const [task] = await house.assign();
  if (task === undefined) throw new Error('nothing was placed');
  return { stores, house, proxy, door, machine, daemon, task };
}

function line(content: string, toolInput?: unknown): OutputLine {
  return {
    messageType: 'assistant',
    content,
    toolName: null,
    ...(toolInput === undefined ? {} : { toolInput }),
    toolUseId: null,
    isError: false,
    costUsd: null,
    durationMs: null,
    isPartial: false,
    at: new Date().toISOString(),
  };
}

const outputted = (
  of: { taskId: string; attempt: number },
  fromSeq: number,
  lines: OutputLine[],
): Report => ({ kind: 'task.outputted', ...of, fromSeq, lines });

const frameOf = (machine: Machine, fromSeq: number, reports: Report[]) => ({
  type: 'reports' as const,
  journalId: machine.journalId,
  fromSeq,
  reports,
});

async function contents(house: House): Promise<string[]> {
  const rows = await house.engine.database.sql<{ lines: OutputLine[] }[]>`
    select lines from task_outputs order by attempt, from_seq`;
  return rows.flatMap((row) => row.lines.map((one) => one.content));
}

const statusOf = async (house: House, task: { taskId: string }) =>
  (await findTask(house.engine.database.sql, { ownerId: house.ownerId, id: task.taskId }))?.status;

describe('reports', () => {
  it('are applied in order, acked, and applied once however often they come', async () => {
    const { house, machine, daemon, task } = await open();
    const first = frameOf(machine, 1, [startedReport(task), outputted(task, 1, [line('one')])]);
    const second = frameOf(machine, 3, [outputted(task, 2, [line('two'), line('three')])]);
    daemon.send(first);
    daemon.send(second);
    daemon.send(first);
    daemon.send(second);
    daemon.send(frameOf(machine, 4, [outputted(task, 4, [line('four')])]));
    await daemon.frame('ack', (ack) => ack.reportSeq === 4);
    expect(await contents(house)).toEqual(['one', 'two', 'three', 'four']);
    expect(await statusOf(house, task)).toBe('running');
    daemon.close();
  });

  it('keep what agents print that no store takes', async () => {
    const { house, machine, daemon, task } = await open();
    const lines = [
      line('a\0b'),
      line('c\ud800d'),
      line('tool', 'deep'),
      line('tool', { '\0': '\0' }),
    ];
    const frame = JSON.stringify(
      frameOf(machine, 1, [startedReport(task), outputted(task, 1, lines)]),
    );
    daemon.raw(frame.replace('"deep"', '['.repeat(50_000) + ']'.repeat(50_000)));
    await daemon.frame('ack', (ack) => ack.reportSeq === 2);
    expect(await contents(house)).toEqual(['a\ufffdb', 'c\ufffdd', 'tool', 'tool']);
  });

  it('that do not read are set aside, and those around them are applied', async () => {
    const { house, machine, daemon, task } = await open();
    const frame = frameOf(machine, 1, [startedReport(task), outputted(task, 1, [line('one')])]);
    const broken = [{ kind: 'agent.asked', taskId: 7 }, null, { kind: 'of.tomorrow' }];
    daemon.raw(
      JSON.stringify({ ...frame, reports: [frame.reports[0], ...broken, frame.reports[1]] }),
    );
    await daemon.frame('ack', (ack) => ack.reportSeq === 5);
    expect(await contents(house)).toEqual(['one']);
    const rows = await house.engine.database.sql<{ kind: string }[]>`
      select detail ->> 'kind' as kind from audit where action = 'report.set_aside' order by id`;
    expect(rows.map((row) => row.kind)).toEqual(['agent.asked', 'none', 'of.tomorrow']);
  });

  it('with a gap end the socket, and the next hello tells where to go on', async () => {
    const { door, machine, daemon, task } = await open();
    daemon.send(frameOf(machine, 1, [startedReport(task)]));
    await daemon.frame('ack');
    daemon.send(frameOf(machine, 3, [outputted(task, 1, [line('late')])]));
    expect(await daemon.closed).toMatchObject({ code: 4400 });
    const again = await connect(door.url, machine, { running: [task] });
    expect(again.welcome.reportAck).toBe(1);
    expect(again.welcome.keep).toEqual([task]);
  });

  it('of another daemon’s task change nothing', async () => {
    const { house, door, task } = await open();
    const stranger = await house.join();
    const daemon = await connect(door.url, stranger);
    daemon.send(
      frameOf(stranger, 1, [startedReport(task), endedReport(task, { outcome: 'done' })]),
    );
    await daemon.frame('ack', (ack) => ack.reportSeq === 2);
    expect(await statusOf(house, task)).toBe('starting');
  });

  it('of another daemon’s journal end the socket', async () => {
    const { house, door, machine } = await open();
    const stranger = await house.join();
    const daemon = await connect(door.url, stranger);
    daemon.send(frameOf(machine, 1, [startedReport({ taskId: machine.journalId, attempt: 1 })]));
    expect((await daemon.closed).code).toBe(4503);
  });

  it('wait for a store that is away, and go through when it is back', async () => {
    const { house, proxy, door, machine, daemon, task } = await open({
      timings: { patienceMs: 20_000 },
    });
    await proxy.down();
    daemon.send(frameOf(machine, 1, [startedReport(task), outputted(task, 1, [line('kept')])]));
    daemon.send(frameOf(machine, 3, [outputted(task, 2, [line('in order')])]));
    await expect(door.wire.engine.database.ping(2_000)).rejects.toThrow();
    expect(daemon.frames.some((frame) => frame.type === 'ack')).toBe(false);
    await proxy.up();
    await daemon.frame('ack', (ack) => ack.reportSeq === 3);
    expect(await contents(house)).toEqual(['kept', 'in order']);
    expect(daemon.socket.readyState).toBe(daemon.socket.OPEN);
  });

  it('end the socket when the store stays away, and come again', async () => {
    const { house, proxy, door, machine, daemon, task } = await open({
      timings: { patienceMs: 300 },
    });
    await proxy.down();
    daemon.send(frameOf(machine, 1, [startedReport(task)]));
    expect(await daemon.closed).toMatchObject({ code: 4503 });
    await proxy.up();
    const again = await connect(door.url, machine, { running: [task] });
    again.send(frameOf(machine, 1, [startedReport(task)]));
    await again.frame('ack', (ack) => ack.reportSeq === 1);
    expect(await statusOf(house, task)).toBe('running');
  });

  it('are not read faster than they are applied', async () => {
    const { house, door, machine, daemon, task } = await open({
      timings: { queuedFrames: 4, queuedBytes: 1_000_000 },
    });
    daemon.send(frameOf(machine, 1, [startedReport(task)]));
    const count = 200;
    for (let n = 1; n <= count; n += 1) {
      daemon.send(frameOf(machine, n + 1, [outputted(task, n, [line(`${n}`)])]));
    }
    daemon.send({ type: 'heartbeat', beat: 1, running: [task], freeDiskBytes: null });
    await daemon.frame('ack', (ack) => ack.reportSeq === count + 1);
    await daemon.frame('lease', (lease) => lease.renewed.length === 1);
    expect((await contents(house)).length).toBe(count);
    expect(door.gateway.registry.all.size).toBe(1);
  });
});
