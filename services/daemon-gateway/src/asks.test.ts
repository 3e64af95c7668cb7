/** Questions both ways: keys and transcripts for the daemon, files for the control plane. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { askDaemon } from '@makima/bus/ask';
import { authenticate } from '@makima/engine/identity/authenticate';
import { startedReport } from '@makima/engine/test/house';
import { connect, type TestDaemon } from './test/daemon.ts';
import { startGateway, testHouse, testStores } from './test/kit.ts';

async function open() {
  const stores = await testStores();
  const house = await testHouse(stores);
  const door = await startGateway(stores);
  const machine = await house.join();
  const daemon = await connect(door.url, machine);
  await house.contract();
  const [task] = await house.assign();
  if (task === undefined) throw new Error('nothing was placed');
  return { house, door, machine, daemon, task };
}

type Ask = Parameters<TestDaemon['send']>[0] & { type: 'ask' };

async function ask(daemon: TestDaemon, question: Ask['ask']) {
  const askId = randomUUID();
  daemon.send({ type: 'ask', askId, ask: question });
  return daemon.frame('answer', (answer) => answer.askId === askId);
}

describe('a daemon asks', () => {
  it('for the key of its own live attempt, and of no other', async () => {
    const { house, door, daemon, task } = await open();
    const answer = await ask(daemon, { kind: 'tool-key', ...task });
    const { key } = answer.result as { key: string };
    expect(await authenticate(house.engine, key)).toMatchObject({ kind: 'agent', ...task });
    const other = await ask(daemon, { kind: 'tool-key', ...task, attempt: 2 });
    expect(other).toMatchObject({ ok: false, result: null });
    const stranger = await connect(door.url, await house.join());
    expect(await ask(stranger, { kind: 'tool-key', ...task })).toMatchObject({ ok: false });
    expect(JSON.stringify(door.log.lines)).not.toContain(key.slice(-20));
  });

  it('for a transcript', async () => {
    const { machine, daemon, task } = await open();
    const { journalId } = machine;
    const stored = { kind: 'transcript.stored' as const, ...task, fromSeq: 1, lines: ['a', 'b'] };
    daemon.send({ type: 'reports', journalId, fromSeq: 1, reports: [startedReport(task), stored] });
    await daemon.frame('ack', (ack) => ack.reportSeq === 2);
    const answer = await ask(daemon, { kind: 'transcript', ...task, fromSeq: 1 });
    expect(answer).toMatchObject({ ok: true, result: { lines: ['a', 'b'], nextSeq: null } });
  });

  it('for a patch that is not there', async () => {
    const { daemon, task } = await open();
    const question = { kind: 'patch' as const, ...task, checkpointId: randomUUID(), part: 0 };
    expect(await ask(daemon, question)).toMatchObject({ ok: false });
  });

  it('more than may be answered at once, and hears that too', async () => {
    const { daemon, task } = await open();
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => ask(daemon, { kind: 'tool-key', ...task })),
    );
    expect(answers).toHaveLength(60);
    expect(answers.some((answer) => answer.ok)).toBe(true);
    // Whoever was one too many is not refused: it may ask again.
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every((answer) => answer.retryable === true)).toBe(true);
  });

  it('while the store is away, and is not refused: it may ask again', async () => {
    const { door, daemon, task } = await open();
    const refused = await ask(daemon, { kind: 'tool-key', ...task, attempt: 2 });
    expect(refused).not.toHaveProperty('retryable');
    await door.wire.engine.database.close();
    expect(await ask(daemon, { kind: 'tool-key', ...task })).toMatchObject({
      ok: false,
      retryable: true,
    });
  });
});

describe('the control plane asks', () => {
  const readFile = { kind: 'read-file' as const, taskId: randomUUID(), filePath: 'a.txt' };

  it('a daemon for a file, through whichever gateway holds it', async () => {
    const { door, machine, daemon } = await open();
    const { daemonId } = machine.principal;
    const asked = askDaemon(door.wire, readFile, { daemonId });
    const frame = await daemon.frame('ask');
    expect(frame.ask).toEqual(readFile);
    const result = { content: 'x'.repeat(500_000), exists: true, refused: null };
    daemon.send({ type: 'answer', askId: frame.askId, ok: true, result, error: null });
    expect(await asked).toEqual(result);
  });

  it('and is told when it refuses, answers nonsense, goes away or is not there', async () => {
    const { door, house, machine, daemon } = await open();
    const { daemonId } = machine.principal;
    const seen = new Set<string>();
    const answers = [
      { ok: false, result: null, error: 'no such task' },
      { ok: true, result: { nonsense: true }, error: null },
    ];
    for (const answer of answers) {
      const asked = askDaemon(door.wire, readFile, { daemonId });
      const frame = await daemon.frame('ask', (one) => !seen.has(one.askId));
      seen.add(frame.askId);
      daemon.send({ type: 'answer', askId: frame.askId, ...answer });
      await expect(asked).rejects.toMatchObject({ code: 'DAEMON_ERROR' });
    }
    const asked = askDaemon(door.wire, readFile, { daemonId });
    await daemon.frame('ask', (one) => !seen.has(one.askId));
    daemon.close();
    await expect(asked).rejects.toMatchObject({ code: 'DAEMON_ERROR' });
    await daemon.closed;
    const stranger = (await house.join()).principal.daemonId;
    const nobody = askDaemon(door.wire, readFile, { daemonId: stranger });
    await expect(nobody).rejects.toMatchObject({ code: 'NO_DAEMON' });
  });
});
