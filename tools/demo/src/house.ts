// Where the demo plays: the makima that runs here already, or one that it starts and ends itself.
// Law: of demos that begin together one starts it and the others join; who started it ends it, when the
// others are done. An interrupt while it starts ends all of it.
import { join } from 'node:path';
import { pause } from '@makima/client/pause';
import { homeFrom, readOwnerKey, type Home } from '@makima/stack/home';
import { AlreadyRunningError, Stack } from '@makima/stack/stack';
import { lockOwner } from '@makima/stack/start-lock';
import { runningState } from '@makima/stack/state-file';
import { othersHere, signIn } from './guests.ts';
import type { Screen } from './screen.ts';

export interface House {
  readonly home: Home;
  readonly url: string;
  readonly ownerKey: string;
  /** Started by the demo, which therefore ends it. */
  readonly own: boolean;
  /** Whether it is there still, as far as this machine knows. */
  stands(): boolean;
  stop(): Promise<void>;
}

export interface Doorway {
  readonly env: NodeJS.ProcessEnv;
  readonly screen: Screen;
  /** Aborted: the person wants out. */
  readonly signal: AbortSignal;
}

const lookMs = 100;

export async function openHouse(door: Doorway): Promise<House> {
  const home = homeFrom(door.env);
  const signOut = signIn(home);
  try {
    return await enter(home, door, signOut);
  } catch (error) {
    signOut();
    throw error;
  }
}

async function enter(home: Home, door: Doorway, signOut: () => void): Promise<House> {
  let waited = false;
  for (;;) {
    const running = runningState(home);
    if (running?.ready === true) return joined(home, running.url, { door, signOut });
    const starter = lockOwner(home);
    if (starter === undefined) {
      try {
        return await started(home, { door, signOut });
      } catch (error) {
        if (!(error instanceof AlreadyRunningError)) throw error;
      }
    } else if (!waited) {
      waited = true;
      door.screen.say(`Another start is under way here (process ${starter.pid}); waiting for it.`);
    }
    await pause(lookMs, door.signal);
  }
}

interface Entrance {
  readonly door: Doorway;
  readonly signOut: () => void;
}

function joined(home: Home, url: string, { door, signOut }: Entrance): House {
  door.screen.say(`makima runs already at ${url}`);
  return {
    home,
    url,
    ownerKey: keyOf(home),
    own: false,
    stands: () => runningState(home)?.ready === true,
    stop: async () => signOut(),
  };
}

async function started(home: Home, { door, signOut }: Entrance): Promise<House> {
  const { env, screen, signal } = door;
  const began = performance.now();
  screen.say(
    `Starting Postgres, Redis, four services and a daemon. All of it is kept in ${home.root}`,
  );
  const row = screen.row('  ready: ');
  const say = (line: string): void => {
    row.end();
    screen.say(`  ${line}`);
  };
  const stack = new Stack({
    home,
    env,
    ports: 'preferred',
    daemon: 'local',
    onEvent: (event) => {
      if (event.kind === 'ready') row.add(event.name);
      if (event.kind === 'progress') say(event.line);
      if (event.kind === 'died') say(`${event.name} left (${event.reason}) and is started again`);
    },
  });
  const leave = (): void => void stack.stop();
  signal.addEventListener('abort', leave, { once: true });
  try {
    await stack.start();
  } finally {
    signal.removeEventListener('abort', leave);
    row.end();
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  screen.say(`  makima serves at ${stack.addresses.apiUrl}, after ${seconds} s\n`);
  return {
    home,
    url: stack.addresses.apiUrl,
    ownerKey: keyOf(home),
    own: true,
    stands: () => true,
    async stop() {
      signOut();
      await othersDone(home, door);
      await stack.stop();
    },
  };
}

/** Other demos may have joined; an interrupt ends theirs too. */
async function othersDone(home: Home, { screen, signal }: Doorway): Promise<void> {
  if (othersHere(home) === 0 || signal.aborted) return;
  screen.say('Another demo plays in this makima, which stops when that one is done (Ctrl-C: now).');
  while (othersHere(home) > 0 && !signal.aborted) await pause(lookMs, signal).catch(() => {});
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
