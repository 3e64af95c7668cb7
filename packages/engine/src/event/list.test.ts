/** The feed of events: each contract's in the order of their numbers, also when transactions overlap. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendEvents, type NewEvent } from '@makima/db/repo/events';
import { openTestEngine, type TestEngine } from '../test-engine.ts';
import { stage, type Stage } from '../test-stage.ts';
import { listEvents } from './list.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t);
});
afterAll(() => t.close());

const event = (word: string): NewEvent => ({
  ownerId: t.owner.ownerId,
  contractId: scene.contract.id,
  taskId: null,
  type: 'contract.updated',
  actor: { kind: 'system', id: null, name: 'test' },
  data: { word },
});

it('a transaction that began first and wrote last does not come first', async () => {
  const { sql } = t.database;
  const start = (await listEvents(t.engine, t.owner, { after: 'now', limit: 10 })).cursor;
  await sql.begin(async (early) => {
    await early`select pg_current_xact_id()`;
    await sql.begin((late) => appendEvents(late as never, [event('one')]));
    // The first transaction is still open: nothing may be shown that it could come before.
    const none = await listEvents(t.engine, t.owner, { after: start, limit: 10 });
    expect(none.items).toEqual([]);
    await appendEvents(early as never, [event('two'), event('three')]);
  });
  for (const contractId of [undefined, scene.contract.id]) {
    const words: unknown[] = [];
    const seqs: (number | null)[] = [];
    for (let after = start; words.length < 3;) {
      const page = await listEvents(t.engine, t.owner, { after, contractId, limit: 1 });
      expect(page.items).toHaveLength(1);
      words.push(...page.items.map(({ data }) => data['word']));
      seqs.push(...page.items.map(({ seq }) => seq));
      after = page.cursor;
    }
    expect(words).toEqual(['one', 'two', 'three']);
    expect(seqs).toEqual(seqs.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  }
});
