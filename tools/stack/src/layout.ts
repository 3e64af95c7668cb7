// Which processes make up makima on one machine, and where they begin.
// Why: the stack starts what this table names, so that a test can start other programs the same way.
// Law: every service is a process of its own that reads its port from the environment.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './checkout.ts';

export interface ServiceEntry {
  name: string;
  /** File that Node runs. */
  main: string;
  /** Port to try first. */
  port: number;
}

export interface StackLayout {
  services: readonly ServiceEntry[];
  /** The service whose address people use, and the one that daemons connect to. */
  api: string;
  gateway: string;
  daemon: string;
  migrate: string;
}

/** Ports to try first. A taken one is replaced by the next free one. */
export const storePorts = { postgres: 7432, redis: 7479 } as const;

const service = (name: string, port: number): ServiceEntry => ({
  name,
  main: join(checkout, 'services', name, 'src', 'main.ts'),
  port,
});

export const makimaLayout: StackLayout = {
  services: [
    service('api', 7400),
    service('daemon-gateway', 7401),
    service('scheduler', 7402),
    service('restorer', 7403),
  ],
  api: 'api',
  gateway: 'daemon-gateway',
  daemon: join(checkout, 'apps', 'daemon', 'src', 'main.ts'),
  migrate: join(checkout, 'packages', 'db', 'src', 'migrate-cli.ts'),
};

/** Throws one line naming every file that the layout needs and the checkout does not have. */
export const requireFiles = (files: readonly string[]): void => {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    throw new Error(`this checkout lacks ${missing.join(', ')}: get a complete one`);
  }
};
