/** A reader's place while it catches up and the feed goes on: never before what it was given. */
import { expect, it } from 'vitest';
import type { MonitorFact, MonitorPage } from '@makima/engine/event/monitor';
import { zMonitorFilter } from '@makima/contracts/entity/monitor';
import { createSubscription, toldOf } from './subscription.ts';

const contractId = '00000000-0000-4000-8000-000000000001';
const position = (n: number) => ({ xid: String(n), id: n });
const fact = (n: number): MonitorFact => ({
  event: {
    type: 'phase_changed',
    contract_id: contractId,
    time: '2026-01-01T00:00:00.000Z',
    cursor: `c${n}`,
    old_phase: 'a',
    new_phase: 'b',
  },
  kind: 'other',
  contractId,
  status: 'active',
  leftStatus: null,
  position: position(n),
});
const page = (...numbers: number[]): MonitorPage => {
  const last = numbers.at(-1) ?? 0;
  return { facts: numbers.map(fact), cursor: `c${last}`, position: position(last), full: false };
};

it('a reading that ends beyond the feed keeps its place, also when the queue is full then', async () => {
  const pages = [page(1, 2, 3), page(4, 5)];
  const asked: string[] = [];
  const reader = createSubscription({
    filter: zMonitorFilter.parse({ after: 'c0' }),
    bufferSize: 1,
    read: async (after) => {
      asked.push(after);
      // The feed comes as far as 2 while the store is read as far as 3.
      if (asked.length === 1) {
        reader.offer(toldOf(fact(2)));
        reader.advance('c2', position(2));
      }
      return pages.shift() ?? page();
    },
  });
  const first = await reader.next(0);
  expect([first.told.map(({ cursor }) => cursor), first.cursor]).toEqual([
    ['c1', 'c2', 'c3'],
    'c3',
  ]);
  expect(await reader.next(0)).toMatchObject({ told: [], cursor: 'c3' });
  for (const n of [4, 5]) reader.offer(toldOf(fact(n)));
  expect((await reader.next(0)).told.map(({ cursor }) => cursor)).toEqual(['c4', 'c5']);
  expect(asked).toEqual(['c0', 'c3']);
});

it('a feed that is ahead of the reading counts: what it brought waits in the queue', async () => {
  const reader = createSubscription({
    filter: zMonitorFilter.parse({ after: 'c0' }),
    bufferSize: 9,
    read: () => {
      for (const n of [1, 2]) reader.offer(toldOf(fact(n)));
      reader.advance('c7', position(7));
      return Promise.resolve(page(1));
    },
  });
  expect(await reader.next(0)).toMatchObject({ told: [{ cursor: 'c1' }], cursor: 'c1' });
  expect(await reader.next(0)).toMatchObject({ told: [{ cursor: 'c2' }], cursor: 'c7' });
});
