/** Leases: frozen in time, thawed when renewed, ended when another has the work. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '@makima/contracts/socket/frames';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

/** As in production, a fraction of the time: frozen before the server's lease is over. */
const timings = { silentMs: 400, freezeAfterMs: 900 };
const endless = '- say: working\n- run: [sh, -c, "while true; do sleep 0.02; done"]';

describe('self-fencing', () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  beforeEach(async () => {
    gateway = await createFakeGateway();
    daemon = await createTestDaemon({ gatewayUrl: gateway.url });
    await daemon.start(timings);
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
  });

  const working = async (of: Running): Promise<number> => {
    await gateway.until('it works', () =>
      gateway.lines(of).some((line) => line.content === 'working'),
    );
    return gateway.of('task.started').find((report) => report.taskId === of.taskId)?.pid ?? 0;
  };
  const stateOf = (pid: number): string => {
    try {
      return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
    } catch {
      return 'gone';
    }
  };

  it('freezes agents when no lease is heard of, and thaws them when it is kept', async () => {
    const start = startCommand(
      '- say: working\n- repeat: 400\n  steps:\n    - say: tick\n    - sleep: 10\n- done: on',
    );
    gateway.command(start);
    const pid = await working(start);
    const frozen = daemon.logged('agent frozen');
    await gateway.down();
    await frozen;
    expect(stateOf(pid)).toBe('T');
    const thawed = daemon.logged('agent goes on');
    await gateway.up();
    await thawed;
    expect(stateOf(pid)).not.toBe('T');
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(gateway.faults).toEqual([]);
  });

  it('freezes them as well when the gateway answers everything but the lease', async () => {
    await daemon.end('SIGTERM');
    await daemon.start({ ...timings, silentMs: 60_000 });
    const start = startCommand(endless);
    gateway.command(start);
    const pid = await working(start);
    const frozen = daemon.logged('agent frozen');
    gateway.levers.muteLeases = true;
    await frozen;
    expect(stateOf(pid)).toBe('T');
    const thawed = daemon.logged('agent goes on');
    gateway.levers.muteLeases = false;
    await thawed;
  });

  it('kills an agent that was fenced while away, within 5 s, and keeps its work', async () => {
    const start = startCommand(endless);
    gateway.command(start);
    const pid = await working(start);
    const frozen = daemon.logged('agent frozen');
    await gateway.down();
    await frozen;
    gateway.fenced.push({ taskId: start.taskId, attempt: 1 });
    const from = performance.now();
    await gateway.up();
    const ended = await gateway.ended(start);
    expect(ended).toMatchObject({ outcome: 'fenced' });
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(stateOf(pid)).toBe('gone');
  });

  it('freezes them at once when another process takes its place, but not for a reconnect of its own', async () => {
    await daemon.end('SIGTERM');
    await daemon.start({ ...timings, freezeAfterMs: 60_000 });
    const told = join(daemon.root, 'told');
    const start = startCommand(
      `- say: working\n- run: [sh, -c, "exec > ${told}; echo $$; while :; do echo on; done"]`,
    );
    gateway.command(start);
    const pid = await working(start);
    const hellos = gateway.hellos.length;
    gateway.hang();
    await gateway.until('its own return', () => gateway.hellos.length > hellos);
    await gateway.until('its beat', () => gateway.running);
    expect(daemon.log()).not.toContain('agent frozen');
    expect(stateOf(pid)).not.toBe('T');

    const frozen = daemon.logged('agent frozen');
    await gateway.takeOver();
    await frozen;
    expect(stateOf(pid)).toBe('T');
    const thawed = daemon.logged('agent goes on');
    gateway.levers.refuseUpgrades = false;
    await thawed;
    expect(stateOf(pid)).not.toBe('T');

    const again = daemon.logged('agent frozen');
    await gateway.takeOver();
    await again;
    const tool = Number(readFileSync(told, 'utf8').split('\n')[0]);
    await expect.poll(() => stateOf(tool)).toBe('T');
    const before = readFileSync(told, 'utf8');
    gateway.fenced.push({ taskId: start.taskId, attempt: 1 });
    gateway.levers.refuseUpgrades = false;
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'fenced' });
    expect(stateOf(pid)).toBe('gone');
    // Nothing of it went on for its end.
    expect(readFileSync(told, 'utf8')).toBe(before);
  });

  it('stands still itself: its agents run on unfrozen, and those given away meanwhile end when it goes on', async () => {
    const start = startCommand(
      '- say: working\n- run: [sh, -c, "while true; do date +%s%N > tick.txt; sleep 0.02; done"]',
    );
    gateway.command(start);
    const pid = await working(start);
    const directory = gateway.of('task.started')[0]?.worktreePath ?? '';
    const tick = (): string => {
      try {
        return readFileSync(join(directory, 'tick.txt'), 'utf8');
      } catch {
        return '';
      }
    };
    await expect.poll(tick).not.toBe('');
    process.kill(daemon.pid, 'SIGSTOP');
    await expect.poll(() => stateOf(daemon.pid)).toBe('T');
    const [before, told] = [tick(), gateway.of('task.outputted').length];
    await expect.poll(tick).not.toBe(before);
    expect(stateOf(pid)).not.toBe('T');
    // Its only way to makima is the daemon: nothing of it is heard.
    expect(gateway.of('task.outputted')).toHaveLength(told);
    gateway.fenced.push({ taskId: start.taskId, attempt: 1 });
    const next = { ...startCommand('- say: working'), taskId: start.taskId, attempt: 2 };
    gateway.command(next);
    process.kill(daemon.pid, 'SIGCONT');
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'fenced' });
    expect(stateOf(pid)).toBe('gone');
    expect((await gateway.ended(next)).outcome).toBe('done');
  });

  it('kills its agents, frozen or not, when its own key opens nothing any more', async () => {
    const start = startCommand(endless);
    gateway.command(start);
    const pid = await working(start);
    const refused = daemon.logged('enrol it again');
    gateway.levers.revoked = true;
    gateway.cut();
    await refused;
    await expect.poll(() => stateOf(pid), { timeout: 5_000 }).toBe('gone');
  });

  it('kills an agent that a lease answer fences, and starts the next attempt only then', async () => {
    const start = startCommand(endless);
    gateway.command(start);
    const pid = await working(start);
    const next = { ...startCommand('- say: working'), taskId: start.taskId, attempt: 2 };
    gateway.fenced.push({ taskId: start.taskId, attempt: 1 });
    gateway.command(next);
    expect((await gateway.ended(start)).outcome).toBe('fenced');
    expect(stateOf(pid)).toBe('gone');
    expect((await gateway.ended(next)).outcome).toBe('done');
    const ends = daemon
      .ledger()
      .map((line) => `${String(line['event'])}${String(line['attempt'])}`);
    expect(ends.indexOf('start2')).toBeGreaterThan(ends.indexOf('start1'));
    gateway.command({ ...start, attempt: 1 });
    await gateway.until('the ack', () => gateway.ackedCommandSeq === 3);
    expect(daemon.ledger().filter((line) => line['event'] === 'start')).toHaveLength(2);
  });

  it('comes to the newest attempt when several were handed out while it was cut off', async () => {
    const start = startCommand(endless);
    gateway.command(start);
    const pid = await working(start);
    await gateway.down();
    const [second, third] = [2, 3].map((attempt) => ({
      ...startCommand('- say: working'),
      taskId: start.taskId,
      attempt,
    }));
    if (second === undefined || third === undefined) throw new Error('no attempts');
    gateway.command(second);
    gateway.command(third);
    await gateway.up();
    expect((await gateway.ended(third)).outcome).toBe('done');
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'fenced' });
    expect(await gateway.ended(second)).toMatchObject({ outcome: 'fenced' });
    expect(stateOf(pid)).toBe('gone');
    const starts = daemon.ledger().filter((line) => line['event'] === 'start');
    expect(starts.map((line) => line['attempt'])).toEqual([1, 3]);
  });
});
