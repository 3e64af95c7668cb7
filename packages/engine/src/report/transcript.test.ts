/** Transcripts grow at their end, whatever comes twice; and what is looked up often has its index. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendTranscript, transcriptFrom } from '@makima/db/repo/talk';
import { inTransaction } from '@makima/db/tx';
import { openTestEngine, type TestEngine } from '../test-engine.ts';
import { running, stage } from '../test-stage.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine();
});
afterAll(() => t.close());

it('lines follow each other without a gap, over attempts, and a batch counts once', async () => {
  const { taskId } = await running(await stage(t));
  const append = (attempt: number, attemptSeq: number, lines: string[]) =>
    inTransaction(t.database, (tx) =>
      appendTranscript(tx, { ownerId: t.ownerId, taskId, attempt, attemptSeq, lines }),
    );
  await append(1, 1, ['a', 'b']);
  await append(1, 3, ['c']);
  await append(1, 3, ['c']);
  await append(2, 1, ['d', 'e']);
  const about = { ownerId: t.ownerId, taskId, seq: 0, limit: 10 };
  expect(await transcriptFrom(t.database.sql, about)).toEqual([
    { seq: 1, count: 2, lines: ['a', 'b'] },
    { seq: 3, count: 1, lines: ['c'] },
    { seq: 4, count: 2, lines: ['d', 'e'] },
  ]);
});

it('the look-ups of sweeps and tasks have their indexes', async () => {
  const wanted = ['agent_messages_source', 'operations_task', 'questions_untaken', 'waits_of_task'];
  const rows = await t.database.sql<{ name: string }[]>`
    select indexname as name from pg_indexes where indexname = any(${wanted}) order by 1`;
  expect(rows.map((row) => row.name)).toEqual(wanted);
});
