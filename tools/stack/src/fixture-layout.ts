// A stack of small stand-in services, to test the supervision of processes by itself.
// Why: starting, restarting and draining must hold whatever the services do.
// Law: they keep the contract of the real services: PORT, /livez, /readyz, SIGTERM.
import { join } from 'node:path';
import { checkout } from './checkout.ts';
import type { ServiceEntry, StackLayout } from './layout.ts';

export const fixture = (name: string): string =>
  join(checkout, 'tools', 'stack', 'fixtures', `${name}.ts`);

export const fixtureLayout = (extra: readonly ServiceEntry[] = []): StackLayout => ({
  services: [
    { name: 'api', main: fixture('service'), port: 7500 },
    { name: 'gateway', main: fixture('service'), port: 7501 },
    ...extra,
  ],
  api: 'api',
  gateway: 'gateway',
  daemon: fixture('daemon'),
  migrate: fixture('migrate'),
});
