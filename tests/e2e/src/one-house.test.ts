// Stories that ask nothing of their makima but that it stands, one after the other in the same.
// Why: a makima takes five seconds of processor time to start.
// Law: each has contracts of its own; the first looks at all there is.
import { afterAll, beforeAll } from 'vitest';
import { finishedWork } from './stories/completion-actions.ts';
import { personsDoors } from './stories/doors.ts';
import { openHouse, type House } from './house.ts';
import { staleDeliverables } from './stories/stale.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ env: { MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0' } });
});
afterAll(() => house.close());

for (const story of [personsDoors, staleDeliverables, finishedWork]) {
  story(() => house);
}
