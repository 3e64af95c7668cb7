// Turns the layout into processes to supervise: which ones, on which ports, with which environment.
// Why: the stack itself only starts and stops; what is started is worked out here.
// Law: a replica has the name of its service and a number, and a port of its own.
import { checkout } from './checkout.ts';
import { daemonIsConnected } from './daemon-status.ts';
import {
  daemonEnvironment,
  ownerKeyEnvironment,
  serviceEnvironment,
  type Addresses,
} from './environment.ts';
import type { Home } from './home.ts';
import { answersOk } from './http-probe.ts';
import { storePorts, type StackLayout } from './layout.ts';
import type { PortWish } from './port-plan.ts';
import { nodeProgram } from './run-node.ts';
import { untilTrue } from './store-ready.ts';
import type { SupervisedSpec } from './supervised.ts';

/** What to supervise, before it has a log and somebody who listens. */
export type ProcessSpec = Omit<SupervisedSpec, 'log' | 'onChange'>;

export interface SpecContext {
  layout: StackLayout;
  replicas: Readonly<Record<string, number>>;
  env: NodeJS.ProcessEnv;
  home: Home;
  environmentFor?: EnvironmentFor;
}

/** Says what the environment of a service or daemon is instead; for tests that put something in between. */
export type EnvironmentFor = (
  process: string,
  environment: Readonly<NodeJS.ProcessEnv>,
) => NodeJS.ProcessEnv;

export type PortPlan = ReadonlyMap<string, number>;

const serviceStopMs = 15_000;
/** The daemon's own drain ends after 40 s at the latest: its agents are given time to stop. */
const daemonStopMs = 45_000;

/** A port for every store that is ours and every replica of every service. */
export const portWishes = ({ layout, replicas, env }: SpecContext): PortWish[] => {
  const wishes: PortWish[] = [];
  if (!env.DATABASE_URL) wishes.push({ name: 'postgres', preferred: storePorts.postgres });
  if (!env.REDIS_URL) wishes.push({ name: 'redis', preferred: storePorts.redis });
  for (const { name, port } of layout.services) {
    for (const [index, replica] of replicaNames(name, replicas).entries()) {
      wishes.push({ name: replica, preferred: port + 10 * index });
    }
  }
  return wishes;
};

/** The addresses of the doors, from the plan of ports. */
export const doorAddresses = (
  layout: StackLayout,
  ports: PortPlan,
): Pick<Addresses, 'apiUrl' | 'gatewayUrl'> => ({
  apiUrl: `http://127.0.0.1:${portOf(ports, layout.api)}`,
  gatewayUrl: `ws://127.0.0.1:${portOf(ports, layout.gateway)}/daemon`,
});

export const serviceSpecs = (
  { layout, replicas, env, home, environmentFor = asItIs }: SpecContext,
  ports: PortPlan,
  addresses: Addresses,
): ProcessSpec[] =>
  layout.services.flatMap(({ name, main }) =>
    replicaNames(name, replicas).map((replica) => {
      const port = portOf(ports, replica);
      const environment = {
        ...serviceEnvironment(env, addresses, home, port),
        ...(name === layout.api ? ownerKeyEnvironment(home) : {}),
      };
      return {
        name: replica,
        kind: 'service' as const,
        program: nodeProgram(main, [], environmentFor(replica, environment), checkout),
        port,
        ready: (options) => untilTrue(replica, () => answersOk(port, '/readyz'), options),
        stopTimeoutMs: serviceStopMs,
      };
    }),
  );

export const daemonSpec = (
  { layout, env, home, environmentFor = asItIs }: SpecContext,
  addresses: Addresses,
): ProcessSpec => ({
  name: 'daemon',
  kind: 'daemon',
  program: nodeProgram(
    layout.daemon,
    ['start'],
    environmentFor('daemon', daemonEnvironment(env, addresses, home)),
    checkout,
  ),
  port: null,
  ready: (options) =>
    untilTrue('the daemon', () => Promise.resolve(daemonIsConnected(home)), options),
  stopTimeoutMs: daemonStopMs,
});

const asItIs: EnvironmentFor = (_process, environment) => environment;

const replicaNames = (name: string, replicas: SpecContext['replicas']): string[] =>
  Array.from({ length: replicas[name] ?? 1 }, (_, index) =>
    index === 0 ? name : `${name}-${index + 1}`,
  );

const portOf = (ports: PortPlan, name: string): number => {
  const port = ports.get(name);
  if (port === undefined) throw new Error(`no port was planned for ${name}`);
  return port;
};
