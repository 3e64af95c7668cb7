/** The daemon killed at any moment: no agent is left, no line is lost, nothing starts twice. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '@makima/contracts/socket/frames';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

const counting = (times: number, pauseMs: number): string =>
  `- repeat: ${times}\n  steps:\n    - say: line \${index}\n    - sleep: ${pauseMs}\n- done: counted`;

const isAlive = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
};

describe('a daemon whose world dies', () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  beforeEach(async () => {
    gateway = await createFakeGateway();
    daemon = await createTestDaemon({ gatewayUrl: gateway.url });
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
  });

  const counted = (of: Running): string[] =>
    gateway
      .lines(of)
      .filter((line) => line.messageType === 'assistant')
      .map((line) => line.content);
  const numbered = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => `line ${n}`);
  const starts = (): Record<string, unknown>[] =>
    daemon.ledger().filter((line) => line['event'] === 'start');

  it('killed in the middle: no line doubled or missing, no agent left, one end', async () => {
    const start = startCommand(counting(1000, 5));
    gateway.command(start);
    await gateway.until('some lines', () => counted(start).length > 20);
    gateway.levers.muteAcks = true;
    const before = gateway.lines(start).length;
    await gateway.until('unacked lines', () => gateway.lines(start).length > before + 10);
    await daemon.end('SIGKILL');
    gateway.levers.muteAcks = false;
    await daemon.start();
    expect(starts().map((line) => isAlive(Number(line['pid'])))).toEqual([false]);
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'daemon_restarted' });
    const told = counted(start);
    expect(told).toEqual(numbered(told.length));
    // The same again: what is acked is not told twice.
    await daemon.end('SIGKILL');
    await daemon.start();
    await gateway.until('hello', () => gateway.hellos.length === 3 && gateway.connected);
    await gateway.until('nothing runs', () => gateway.running?.length === 0);
    expect(gateway.of('task.ended')).toHaveLength(1);
    expect(gateway.faults).toEqual([]);
    expect(starts()).toHaveLength(1);
  });

  it('killed before an agent was started: the start is carried out by the next life, once', async () => {
    gateway.levers.answer = () => undefined;
    const start = startCommand('- say: hello');
    gateway.command(start);
    await gateway.until('the ask', () => gateway.asks.length > 0);
    await daemon.end('SIGKILL');
    gateway.levers.answer = () => ({ key: `mk_tool_${'a'.repeat(60)}` });
    await daemon.start();
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(gateway.hellos[1]?.running).toEqual([{ taskId: start.taskId, attempt: 1 }]);
    expect(starts()).toHaveLength(1);
  });

  it('killed at random moments, many times: at most one start and one end per attempt', async () => {
    const runs: Running[] = [];
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 2; n++) {
        const start = startCommand(counting(8, 10));
        runs.push(start);
        gateway.command(start);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
      await daemon.end('SIGKILL');
      await daemon.start();
    }
    for (const run of runs) expect((await gateway.ended(run)).outcome).toMatch(/done|restarted/);
    expect(gateway.of('task.ended')).toHaveLength(runs.length);
    const tasks = starts().map((line) => line['task']);
    expect(new Set(tasks).size).toBe(tasks.length);
    expect(gateway.faults).toEqual([]);
    for (const run of runs) expect(counted(run)).toEqual(numbered(counted(run).length));
  });

  it('gateway dead in the middle of output: every line once and in order', async () => {
    const start = startCommand(counting(300, 3));
    gateway.command(start);
    for (let round = 0; round < 3; round++) {
      const before = counted(start).length;
      await gateway.until('more lines', () => counted(start).length > before + 20);
      const retries = daemon.logged('not connected');
      await gateway.down();
      await retries;
      await gateway.up();
    }
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(counted(start)).toEqual(numbered(300));
    expect(gateway.faults).toEqual([]);
    expect(starts()).toHaveLength(1);
  });

  it('told to stop: agents end, what is to be said is said, exit code 0', async () => {
    const start = startCommand(counting(1000, 5));
    gateway.command(start);
    await gateway.until('some lines', () => counted(start).length > 20);
    expect(await daemon.end('SIGTERM')).toBe(0);
    expect(await gateway.ended(start)).toMatchObject({
      outcome: 'daemon_restarted',
      summary: 'the daemon was stopped',
    });
    expect(starts().map((line) => isAlive(Number(line['pid'])))).toEqual([false]);
    expect(gateway.hellos).toHaveLength(1);
    await daemon.start();
    await gateway.until('hello', () => gateway.hellos[1]);
    expect(gateway.hellos[1]?.running).toEqual([]);
  });

  it('told to stop without a gateway: the rest is said by the next life', async () => {
    const start = startCommand(counting(1000, 5));
    gateway.command(start);
    await gateway.until('some lines', () => counted(start).length > 20);
    await gateway.down();
    expect(await daemon.end('SIGTERM')).toBe(0);
    await gateway.up();
    await daemon.start();
    expect((await gateway.ended(start)).outcome).toBe('daemon_restarted');
    expect(counted(start)).toEqual(numbered(counted(start).length));
    expect(gateway.faults).toEqual([]);
  });

  it('takes its folder for itself', async () => {
    const other = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: { MAKIMA_DAEMON_HOME: daemon.home },
    });
    await expect(other.start()).rejects.toThrow(/already runs/);
    await other.drop();
  });
});
