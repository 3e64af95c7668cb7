/** The journal survives a cut at any byte and forgets nothing that was not acked. */
import { randomUUID } from 'node:crypto';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import { openJournal, type Journal, type JournalOptions } from './journal.ts';
import { attemptKey } from './state.ts';

const taskId = '0190a0a0-0000-7000-8000-000000000001';
const fence = { taskId, attempt: 1 };

function receipt(text: string): Report {
  return { kind: 'message.received', ...fence, messageId: text, state: 'done' };
}

function output(fromSeq: number, contents: readonly string[]): Report {
  const lines = contents.map((content) => ({
    messageType: 'log' as const,
    content,
    toolName: null,
    toolUseId: null,
    isError: false,
    costUsd: null,
    durationMs: null,
    isPartial: false,
    at: '2026-01-01T00:00:00.000Z',
  }));
  return { kind: 'task.outputted', ...fence, fromSeq, lines };
}

function ended(attempt = 1): Report {
  const none = { error: null, exitCode: null, signal: null, commitSha: null, keptRef: null };
  return {
    kind: 'task.ended',
    taskId,
    attempt,
    outcome: 'done',
    summary: '',
    ...none,
    usage: null,
  };
}

const stop: Command = { kind: 'task.stop', ...fence, reason: 'cancelled', graceMs: 0 };

describe('a journal', () => {
  let root: string;
  let troubles: unknown[];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'makima-journal-'));
    troubles = [];
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const open = (more: Partial<JournalOptions> = {}): Promise<Journal> =>
    openJournal({
      directory: join(root, 'journal'),
      newJournalId: randomUUID,
      redact: (json) => json,
      onTrouble: (error) => troubles.push(error),
      capBytes: 1024 * 1024,
      ...more,
    });
  const readAll = async (journal: Journal): Promise<Report[]> => {
    const found: Report[] = [];
    for (let seq = journal.state.ackedSeq + 1; ;) {
      const bodies = await journal.read(seq, 700);
      if (bodies.length === 0) return found;
      found.push(...bodies.map((body) => JSON.parse(body) as Report));
      seq += bodies.length;
    }
  };

  it('numbers reports without gaps and keeps them over a restart, until they are acked', async () => {
    let journal = await open();
    const { journalId } = journal.state;
    await Promise.all([journal.report(receipt('a')), journal.report(receipt('b'))]);
    await journal.report(receipt('c'));
    journal.ack(1);
    await journal.close();
    journal = await open();
    expect(journal.state).toMatchObject({ journalId, lastReportSeq: 3, ackedSeq: 1 });
    expect(await readAll(journal)).toEqual([receipt('b'), receipt('c')]);
    await journal.report(receipt('d'));
    expect(journal.durableSeq).toBe(4);
    await journal.close();
  });

  it('tells only of commands that are on the disk', async () => {
    let journal = await open();
    const taking = journal.take(4, stop);
    expect([journal.state.lastCommandSeq, journal.durableCommandSeq]).toEqual([4, 0]);
    await taking;
    expect(journal.durableCommandSeq).toBe(4);
    await journal.close();
    journal = await open();
    expect(journal.durableCommandSeq).toBe(4);
    await journal.close();
  });

  it('takes a command once, whatever number it comes back under', async () => {
    let journal = await open();
    expect(await journal.take(1, stop)).toBe(true);
    expect(await journal.take(1, stop)).toBe(false);
    expect(await journal.take(3, stop)).toBe(true);
    await journal.applied(1);
    await journal.close();
    journal = await open();
    expect(await journal.take(3, stop)).toBe(false);
    expect([...journal.state.pending.keys()]).toEqual([3]);
    expect(journal.state.lastCommandSeq).toBe(3);
    await journal.close();
  });

  it('forgets an attempt with the ack of its end, but not its number', async () => {
    const journal = await open();
    await journal.note('intent', { ...fence, runId: 'r', pid: null, startTime: null });
    await journal.note('running', { ...fence, runId: 'r', pid: 7, startTime: 99 });
    await journal.report(output(1, ['x', 'y']));
    const key = attemptKey(taskId, 1);
    expect(journal.state.attempts.get(key)).toMatchObject({
      phase: 'running',
      pid: 7,
      outputSeq: 2,
    });
    await journal.report(ended());
    expect(journal.state.attempts.get(key)?.phase).toBe('ended');
    journal.ack(journal.durableSeq);
    expect(journal.state.attempts.has(key)).toBe(false);
    expect(journal.state.highest.get(taskId)).toBe(1);
    await journal.close();
  });

  it('removes segments in which nothing waits, and reads on in those that are left', async () => {
    let journal = await open({ segmentBytes: 2_000 });
    for (let n = 1; n <= 60; n++) await journal.report(receipt(`m${n}`));
    const before = (await readdir(join(root, 'journal'))).length;
    expect(before).toBeGreaterThan(3);
    journal.ack(50);
    await journal.report(receipt('last'));
    await journal.close();
    const after = await readdir(join(root, 'journal'));
    expect(after.length).toBeLessThan(before);
    journal = await open({ segmentBytes: 2_000 });
    expect(journal.state.ackedSeq).toBeGreaterThanOrEqual(49);
    const messages = (await readAll(journal)).map((r) => 'messageId' in r && r.messageId);
    expect(messages.slice(-11)).toEqual(
      [51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 'ast'].map((n) => (n === 'ast' ? 'last' : `m${n}`)),
    );
    await journal.close();
  });

  it('says when it is full, and when there is room again', async () => {
    const journal = await open({ capBytes: 2_000 });
    for (let n = 0; n < 20; n++) await journal.report(receipt(`m${n}`));
    expect(journal.full).toBe(true);
    journal.ack(20);
    expect(journal.full).toBe(false);
    await journal.close();
  });

  it('goes on under another id with what is not acked, numbered anew', async () => {
    let journal = await open();
    const { journalId } = journal.state;
    await journal.take(4, stop);
    await journal.report(output(1, ['x']));
    for (const text of ['a', 'b', 'c']) await journal.report(receipt(text));
    journal.ack(2);
    const late = journal.report(receipt('d'));
    await journal.renew();
    await late;
    const left = ['b', 'c', 'd'].map(receipt);
    expect(journal.state).toMatchObject({ ackedSeq: 0, lastReportSeq: 3, lastCommandSeq: 4 });
    expect(await readAll(journal)).toEqual(left);
    await journal.report(receipt('e'));
    await journal.close();
    const renewed = journal.state.journalId;
    expect(renewed).not.toBe(journalId);
    journal = await open();
    expect(journal.state).toMatchObject({
      journalId: renewed,
      lastReportSeq: 4,
      lastCommandSeq: 4,
    });
    expect(journal.state.attempts.get(attemptKey(taskId, 1))?.outputSeq).toBe(1);
    expect(await readAll(journal)).toEqual([...left, receipt('e')]);
    await journal.close();
    // A crash between the two renames leaves the new one under its own name.
    await rename(join(root, 'journal'), join(root, 'journal.renewed'));
    journal = await open();
    expect(journal.state.journalId).toBe(renewed);
    await journal.close();
    expect((await readdir(root)).toSorted()).toEqual(['journal']);
  });

  it('puts a damaged journal aside and begins another one', async () => {
    let journal = await open({ segmentBytes: 1_000 });
    const { journalId } = journal.state;
    for (let n = 0; n < 30; n++) await journal.report(receipt(`m${n}`));
    await journal.close();
    await appendFile(join(root, 'journal', '0000000001.jsonl'), 'not a line\n');
    journal = await open();
    expect(journal.state.journalId).not.toBe(journalId);
    expect(troubles).toHaveLength(1);
    await journal.report(receipt('on'));
    await journal.close();
    expect((await readdir(root)).filter((name) => name.includes('damaged'))).toHaveLength(1);
  });

  it('takes secrets out of what it writes', async () => {
    const journal = await open({ redact: (json) => json.replaceAll('hush', '[redacted]') });
    await journal.report(receipt('hush now'));
    expect(await readAll(journal)).toEqual([receipt('[redacted] now')]);
    await journal.close();
  });

  it('loses nothing that it promised and doubles nothing, wherever it is cut', async () => {
    const anyStep = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant('report' as const), size: fc.nat(300) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('ack' as const), back: fc.nat(3) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { maxLength: 25 }),
        fc.array(anyStep, { maxLength: 15 }),
        fc.nat(),
        async (promised, late, at) => {
          await rm(join(root, 'journal'), { recursive: true, force: true });
          const told: Report[] = [];
          let commands = 0;
          const act = async (journal: Journal, steps: typeof promised): Promise<void> => {
            const writes: Promise<unknown>[] = [];
            for (const step of steps) {
              if (step.do === 'report') {
                told.push(receipt(`${told.length}-${'x'.repeat(step.size)}`));
                writes.push(journal.report(told.at(-1) as Report));
              } else if (step.do === 'take') writes.push(journal.take(++commands, stop));
              else {
                await Promise.all(writes);
                journal.ack(Math.max(0, journal.durableSeq - step.back));
              }
            }
            await Promise.all(writes);
          };
          const first = await open({ segmentBytes: 900 });
          const { journalId } = first.state;
          await act(first, promised);
          const safe = { reports: told.length, commands, acked: first.state.ackedSeq };
          const safeSizes = await sizes(join(root, 'journal'));
          await act(first, late);
          const ackedAtEnd = first.state.ackedSeq;
          await first.close();
          await cut(join(root, 'journal'), safeSizes, at);

          const second = await open({ segmentBytes: 900 });
          expect(troubles).toEqual([]);
          expect(second.state.journalId).toBe(journalId);
          const { lastReportSeq, lastCommandSeq, ackedSeq } = second.state;
          expect(lastReportSeq).toBeGreaterThanOrEqual(safe.reports);
          expect(lastCommandSeq).toBeGreaterThanOrEqual(safe.commands);
          expect(ackedSeq).toBeLessThanOrEqual(ackedAtEnd);
          expect(await readAll(second)).toEqual(told.slice(ackedSeq, lastReportSeq));
          expect(await second.take(lastCommandSeq, stop).catch(() => false)).toBe(false);
          await second.report(receipt('after'));
          expect(second.state.lastReportSeq).toBe(lastReportSeq + 1);
          await second.close();
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

async function sizes(directory: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of (await readdir(directory)).toSorted()) {
    // A segment in which nothing waits may be removed in this very moment.
    const size = await stat(join(directory, name)).then(
      (there) => there.size,
      () => null,
    );
    if (size !== null) found.set(name, size);
  }
  return found;
}

/** The directory as a crash would have left it: cut somewhere after what was safe. */
async function cut(directory: string, safe: Map<string, number>, at: number): Promise<void> {
  const now = [...(await sizes(directory))];
  const loose = now.map(([name, size]) => ({ name, from: safe.get(name) ?? 0, size }));
  // Former segments go only when the next one has its head on the disk.
  const [oldest] = loose;
  if (oldest !== undefined && !safe.has(oldest.name)) {
    oldest.from = (await readFile(join(directory, oldest.name))).indexOf(10) + 1;
  }
  // A segment that was safe and is no longer the last one is complete; cuts come at its end or later.
  const last = [...safe.keys()].at(-1) ?? '';
  const free = loose.filter(({ name }) => name >= last);
  const total = free.reduce((sum, { from, size }) => sum + size - from, 0);
  let left = total === 0 ? 0 : at % (total + 1);
  for (const { name, from, size } of free) {
    const room = size - from;
    if (left >= room) {
      left -= room;
      continue;
    }
    await truncate(join(directory, name), from + left);
    left = 0;
    for (const later of free.filter((other) => other.name > name)) {
      await unlink(join(directory, later.name));
    }
    return;
  }
}
