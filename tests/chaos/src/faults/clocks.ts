// The wall clock of one process jumps by an hour, forth or back, and later back again.
import type { House } from '../house/house.ts';
import { aimedAt } from '../schedule.ts';
import { lasting, type Fault } from './fault.ts';

const hourMs = 3_600_000;

/** Of the services and of the machine alike. */
export const jumpingClock: Fault = {
  about: 'the wall clock of one process jumps by an hour, forth or back, for a while',
  recovery: 'probe',
  strike(house: House, aim) {
    const names = ['scheduler', 'restorer', 'daemon-gateway', 'api', ...house.machines];
    const name = aimedAt(names, aim.at) ?? 'scheduler';
    const byMs = aim.force < 0.5 ? hourMs : -hourMs;
    let seen = false;
    house.clocks.shift(name, byMs);
    return {
      hit: `${name}, ${byMs > 0 ? '+' : '-'}1 h`,
      ...(house.machines.includes(name) ? { touches: [name] } : {}),
      lastsMs: lasting(aim, 2_000, 6_000),
      heal() {
        seen = house.clocks.seen(name) === byMs;
        house.clocks.shift(name, 0);
      },
      evidence: () => (seen ? 'the process saw another time' : undefined),
    };
  },
};
