/** The socket is cut, doubled, delayed: every report arrives once and in order. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '@makima/contracts/socket/frames';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

describe("a daemon's link", () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  beforeEach(async () => {
    gateway = await createFakeGateway();
    daemon = await createTestDaemon({ gatewayUrl: gateway.url });
    await daemon.start();
    await gateway.until('hello', () => gateway.connected);
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
  });

  const said = (of: Running): string[] =>
    gateway
      .lines(of)
      .filter((line) => line.messageType === 'assistant')
      .map((line) => line.content);
  const starts = (): unknown[] =>
    daemon
      .ledger()
      .filter((line) => line['event'] === 'start')
      .map((line) => line['task']);

  it('applies a command once, however often and under whatever number it comes', async () => {
    const start = startCommand('- say: once\n- wait_message:\n  as: m\n- say: ${m.text}');
    gateway.command(start);
    gateway.resend(1);
    gateway.command(start);
    await gateway.until('once', () => said(start).includes('once'));
    gateway.resend(1);
    gateway.cut();
    await gateway.until('a second hello', () => gateway.hellos.length === 2 && gateway.connected);
    expect(gateway.hellos[1]).toMatchObject({ lastCommandSeq: 2, running: [{ attempt: 1 }] });
    gateway.resend(1);
    gateway.command(start);
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'end', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    gateway.resend(1);
    expect((await gateway.ended(start)).outcome).toBe('done');
    gateway.command(start);
    const last = gateway.command({ ...start, attempt: 1 });
    await gateway.until('the ack', () => gateway.ackedCommandSeq === last);
    expect(starts()).toEqual([taskId]);
    expect(said(start)).toEqual(['once', 'end']);
    expect(gateway.of('task.ended')).toHaveLength(1);
  });

  it('keeps order and number under frames that come twice, late and out of order', async () => {
    let dice = 7;
    const roll = (sides: number): number => {
      dice = (dice * 48_271) % 2_147_483_647;
      return dice % sides;
    };
    gateway.levers.meddle = (frame) => {
      if (frame.type === 'welcome') return [0];
      if (roll(10) === 0) return frame.type === 'commands' ? [60] : [];
      return roll(5) === 0 ? [0, roll(80)] : [roll(3) === 0 ? roll(60) : 0];
    };
    const runs = Array.from({ length: 4 }, () =>
      startCommand(
        '- repeat: 60\n  steps:\n    - say: line ${index}\n- wait_message:\n  as: m\n- say: ${m.text}',
      ),
    );
    for (const run of runs) {
      const { taskId, attempt } = run;
      gateway.command(run);
      const message = { id: randomUUID(), text: 'end', mode: 'steer' } as const;
      gateway.command({ kind: 'task.message', taskId, attempt, message });
    }
    for (const run of runs) {
      expect((await gateway.ended(run)).outcome).toBe('done');
      expect(said(run)).toEqual([...Array.from({ length: 60 }, (_, n) => `line ${n}`), 'end']);
    }
    expect(gateway.faults).toEqual([]);
    expect(starts()).toHaveLength(runs.length);
  });

  it('believes no ack beyond what it sent, and sends again what is not acked', async () => {
    const start = startCommand('- say: one\n- wait_message:\n- say: two');
    gateway.levers.deafToReports = true;
    gateway.command(start);
    await gateway.until('reports that it does not hear', () => gateway.unheard > 1);
    gateway.levers.deafToReports = false;
    await gateway.until('one', () => said(start).includes('one'));
    const { journalId = '' } = gateway.hellos[0] ?? {};
    gateway.sendRaw(JSON.stringify({ type: 'ack', journalId, reportSeq: 1_000_000 }));
    gateway.sendRaw(JSON.stringify({ type: 'ack', journalId: randomUUID(), reportSeq: 999 }));
    gateway.sendRaw(JSON.stringify({ type: 'ack', journalId, reportSeq: 0 }));
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'go', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toEqual(['one', 'two']);
    expect(gateway.faults.filter((fault) => !fault.startsWith('report'))).toEqual([]);
  });

  it('closes the socket on a frame that does not fit, and nothing else', async () => {
    const start = startCommand('- say: alive\n- wait_message:\n- say: still alive');
    gateway.command(start);
    await gateway.until('alive', () => said(start).includes('alive'));
    const bad: (string | Buffer)[] = [
      '{"type":"lease","beat"',
      '{"type":"nobody"}',
      '[]',
      'null',
      '"welcome"',
      '{"type":"lease","beat":"x","leaseMs":1,"renewed":[],"fenced":[]}',
      '{"type":"commands","commands":[{"seq":1,"command":{"kind":"task.explode"}}]}',
      '{"type":"ack","journalId":"x","reportSeq":-1}',
      '{"type":"lease","__proto__":{"polluted":true},"constructor":{"prototype":{}}}',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `{"type":"answer","askId":"${randomUUID()}","ok":true,"result":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"error":null}`,
      `{"${'k'.repeat(1_000_000)}":1}`,
      Buffer.from([0, 1, 2, 255]),
      '{"type":"error","code":"\u0000","message":"\\ud800"',
      'x'.repeat(9 * 1024 * 1024),
    ];
    for (const [index, frame] of bad.entries()) {
      const before = gateway.hellos.length;
      gateway.sendRaw(frame);
      if (index === 10) continue; // well-formed, an answer to nothing: ignored
      await gateway.until(
        `frame ${index}`,
        () => gateway.hellos.length > before && gateway.connected,
      );
    }
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'go', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toEqual(['alive', 'still alive']);
    expect(daemon.log()).not.toContain('uncaught');
  }, 60_000);

  it('goes on under a new journal when the server knows another history', async () => {
    const start = startCommand('- say: one\n- wait_message:\n- say: two');
    gateway.command(start);
    await gateway.until('one', () => said(start).includes('one'));
    // As after a restore of its store to an earlier time.
    gateway.forget();
    gateway.cut();
    await gateway.until('a new journal', () => gateway.hellos.length === 3 && gateway.connected);
    expect(gateway.hellos[2]?.journalId).not.toBe(gateway.hellos[0]?.journalId);
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'go', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toEqual(['one', 'two']);
    expect(gateway.faults).toEqual([]);
  });

  it('comes back from a goaway, a refused upgrade and a silent gateway', async () => {
    gateway.sendRaw(JSON.stringify({ type: 'goaway', afterMs: 10 }));
    await gateway.until('hello 2', () => gateway.hellos.length === 2 && gateway.connected);
    gateway.levers.refuseUpgrades = true;
    const refused = daemon.logged('"code":503');
    gateway.cut();
    await refused;
    gateway.levers.refuseUpgrades = false;
    await gateway.until('hello 3', () => gateway.hellos.length === 3 && gateway.connected);
    gateway.levers.muteLeases = true;
    await gateway.until('hello 4', () => gateway.hellos.length === 4);
  });
});
