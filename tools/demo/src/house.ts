// Where the demo plays: the makima that runs here already, or one that it starts and ends itself.
import { join } from 'node:path';
import { homeFrom, readOwnerKey, type Home } from '@makima/stack/home';
import { Stack } from '@makima/stack/stack';
import { runningState } from '@makima/stack/state-file';

export interface House {
  readonly home: Home;
  readonly url: string;
  readonly ownerKey: string;
  /** Started by the demo, which therefore ends it. */
  readonly own: boolean;
  stop(): Promise<void>;
}

export async function openHouse(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<House> {
  const home = homeFrom(env);
  const running = runningState(home);
  if (running?.ready === true) {
    say(`makima runs already at ${running.url}`);
    return { home, url: running.url, ownerKey: keyOf(home), own: false, stop: async () => {} };
  }
  const stack = new Stack({
    home,
    env,
    ports: 'preferred',
    daemon: 'local',
    onEvent: (event) => {
      if (event.kind === 'progress') say(event.line);
    },
  });
  await stack.start();
  return {
    home,
    url: stack.addresses.apiUrl,
    ownerKey: keyOf(home),
    own: true,
    stop: () => stack.stop(),
  };
}

/** Everything that the demo makes stands here. */
export function demoFolder(home: Home, name: string): string {
  return join(home.root, 'demo', name);
}

function keyOf(home: Home): string {
  const key = readOwnerKey(home);
  if (key !== undefined) return key;
  throw new Error(
    `the owner's key is missing in ${home.secrets}; start anew with: ./makima down --purge`,
  );
}
