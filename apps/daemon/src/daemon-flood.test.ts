/** A flood of output is held back: memory stays bounded, what is dropped is said. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

const megabyte = 1024 * 1024;
const flood = (times: number, chars: number): string =>
  `- repeat: ${times}\n  steps:\n    - say: "\${index} ${'x'.repeat(chars)}"\n- done: said`;

describe('a flood of output', () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  beforeEach(async () => {
    gateway = await createFakeGateway();
    gateway.levers.forgetful = true;
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
  });

  const peakMegabytes = (): number => {
    const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  };
  const messages = (text: string): number => Number(/(\d+) lines/.exec(text)?.[1]);

  it('goes through whole, in bounded memory, and holds up nobody else', async () => {
    daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: { MAKIMA_OUTPUT_CAP_BYTES: String(200 * megabyte), LOG_LEVEL: 'info' },
    });
    await daemon.start({ freezeAfterMs: 60_000, silentMs: 30_000 });
    const start = startCommand(flood(1_300, 40_000));
    gateway.command(start);
    await gateway.until('some of it', () => gateway.forgotten > 5 * megabyte, 60_000);
    const other = startCommand('- say: me too\n- done: me too');
    const from = performance.now();
    gateway.command(other);
    expect((await gateway.ended(other)).outcome).toBe('done');
    expect(performance.now() - from).toBeLessThan(5_000);
    const ended = await gateway.until(
      'the end',
      () => gateway.of('task.ended').find((report) => report.taskId === start.taskId),
      120_000,
    );
    expect(ended.outcome).toBe('done');
    // Each line stands in the output and in the transcript.
    expect(gateway.forgotten).toBeGreaterThan(100 * megabyte);
    expect(gateway.faults).toEqual([]);
    expect(peakMegabytes()).toBeLessThan(350);
  }, 180_000);

  it('beyond what an attempt may say, says what was dropped', async () => {
    gateway.levers.forgetful = false;
    daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: { MAKIMA_OUTPUT_CAP_BYTES: String(megabyte), LOG_LEVEL: 'info' },
    });
    await daemon.start({ freezeAfterMs: 60_000, silentMs: 30_000 });
    const start = startCommand(flood(300, 10_000));
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    const dropped = gateway.lines(start).filter((line) => line.messageType === 'dropped');
    expect(dropped).toHaveLength(2);
    const kept = gateway.lines(start).filter((line) => line.messageType === 'assistant').length;
    const total = gateway.lines(start).length - 2 + messages(dropped[1]?.content ?? '');
    expect(kept).toBeLessThan(150);
    expect(total).toBeGreaterThan(300);
    expect(gateway.faults).toEqual([]);
  }, 60_000);

  it('is held back when the journal is full, and goes on when there is room', async () => {
    daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: { MAKIMA_JOURNAL_CAP_BYTES: String(2 * megabyte), LOG_LEVEL: 'info' },
    });
    await daemon.start({ freezeAfterMs: 60_000, silentMs: 30_000 });
    gateway.levers.deafToReports = true;
    const start = startCommand(flood(600, 10_000));
    gateway.command(start);
    await gateway.until('a full journal', () => gateway.unheard > 100);
    gateway.levers.deafToReports = false;
    const ended = await gateway.until(
      'the end',
      () => gateway.of('task.ended').find((report) => report.taskId === start.taskId),
      60_000,
    );
    expect(ended.outcome).toBe('done');
    expect(gateway.faults.filter((fault) => !fault.startsWith('report'))).toEqual([]);
  }, 90_000);
});
