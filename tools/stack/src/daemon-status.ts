// How the daemon of this home fares, from the file that it keeps.
// Why: a daemon listens nowhere, so there is no port to ask.
// Law: what a dead daemon wrote is not believed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { identify } from './process-identity.ts';

/** Whether a daemon lives and its socket to the gateway is open. */
export const daemonIsConnected = (home: Home): boolean => {
  try {
    const text = readFileSync(join(home.daemon, 'status.json'), 'utf8');
    const { pid, connected } = JSON.parse(text) as { pid?: unknown; connected?: unknown };
    return connected === true && typeof pid === 'number' && identify(pid) !== undefined;
  } catch {
    return false;
  }
};
