// Frames of one machine's socket said twice and in another order.
import { chanceOf } from '../chance.ts';
import { openFrameProxy } from '../house/frame-proxy.ts';
import type { House } from '../house/house.ts';
import { aimedAt } from '../schedule.ts';
import type { Fault } from './fault.ts';

const lastsMs = 12_000;

export const troubledFrames: Fault = {
  about: 'a tenth of the frames of a machine come twice, a tenth after the next one',
  recovery: 'probe',
  async strike(house, aim) {
    const name = aimedAt(house.machines, aim.at) ?? 'daemon';
    const { host, hostname, port } = new URL(house.stack.addresses.gatewayUrl);
    const chance = chanceOf(Math.floor(aim.force * 2 ** 31));
    const proxy = await openFrameProxy({
      target: `ws://${host}`,
      doubled: 0.1,
      swapped: 0.1,
      chance: () => chance.next(),
    });
    leadThrough(house, name, '127.0.0.1', proxy.port);
    return {
      hit: name,
      lastsMs,
      async heal() {
        leadThrough(house, name, hostname, Number(port));
        await proxy.close();
      },
      evidence: () => {
        const { passed, doubled, swapped } = proxy.counts;
        return doubled > 0 && swapped > 0
          ? `of ${passed} frames ${doubled} came twice and ${swapped} too late`
          : undefined;
      },
    };
  },
};

function leadThrough(house: House, machine: string, host: string, port: number): void {
  const link = house.links.of(machine, 'gateway');
  link.lead(host, port);
  link.cut('end');
}
