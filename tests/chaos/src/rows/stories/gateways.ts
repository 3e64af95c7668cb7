// Two gateways and a crowd of machines at both: one gateway is killed, and everybody goes on at the other.
import { gather } from '../../house/crowd.ts';
import type { House } from '../../house/house.ts';
import { found } from '../../pause.ts';
import { beginContract, endOf } from '../../load/contracts.ts';
import type { Row } from '../row.ts';
import { patienceMs, untilEvent } from './stage.ts';

const gateways = ['daemon-gateway', 'daemon-gateway-2'] as const;
const crowdSize = 1_000;
/** Of the table; at load it is told, and only who never comes back is a fault. */
const backWithinMs = 10_000;

export const gatewayRows = {
  T28: {
    about: `one of two gateways killed, with ${crowdSize} machines at them; all are back at the other`,
    house: { machines: 2, replicas: { 'daemon-gateway': 2 } },
    seconds: 60,
    async story(stage) {
      const { house, verdict, say } = stage;
      const [first, second] = gateways;
      lead(house, 'daemon-2', second);
      house.links.of('daemon-2', 'gateway').cut('end');
      const crowd = await gather(house.client, crowdSize, (index) => {
        const wished = gateways[index % 2] ?? first;
        const isUp = (name: string): boolean => house.process(name).isReady;
        return addressOf(house, isUp(wished) ? wished : wished === first ? second : first);
      });
      try {
        if (!(await crowd.all(patienceMs)))
          verdict.broken.push(`only ${crowd.here} of ${crowd.size} machines came at all`);
        const started = await beginContract(stage, 'between-gateways');
        if (started === null) throw new Error('nothing was begun');
        await untilEvent(stage, started, 'task.spawned');
        const before = crowd.ended;
        const since = performance.now();
        house.process(first).signal('SIGKILL');
        // As whoever stands before the gateways does: those that come back are led to the one that lives.
        lead(house, 'daemon', second);
        house.links.of('daemon', 'gateway').cut('end');
        const half = crowd.size / 2;
        const lost = (): number => crowd.ended - before;
        await found(() => (lost() >= half ? true : undefined), { withinMs: patienceMs });
        const back = await crowd.all(patienceMs);
        const tookMs = Math.round(performance.now() - since);
        say(`of ${crowd.size} machines ${lost()} lost their gateway, all back in ${tookMs} ms`);
        if (tookMs > backWithinMs) say(`that is later than ${backWithinMs} ms`);
        if (lost() < half) verdict.broken.push(`only ${lost()} machines lost their gateway`);
        if (!back) verdict.lost.push(`${crowd.size - crowd.here} machines never came back`);
        const status = await endOf(house, started, 2 * patienceMs);
        if (status !== 'completed') verdict.broken.push(`it ended as ${status ?? 'nothing'}`);
        return [started];
      } finally {
        crowd.close();
      }
    },
  },
} as const satisfies Readonly<Record<string, Row>>;

function portOf(house: House, name: string): number {
  const port = house.process(name).spec.port;
  if (port === null) throw new Error(`${name} has no port`);
  return port;
}

function addressOf(house: House, name: string): string {
  return `ws://127.0.0.1:${portOf(house, name)}/daemon`;
}

function lead(house: House, machine: string, gateway: string): void {
  house.links.of(machine, 'gateway').lead('127.0.0.1', portOf(house, gateway));
}
