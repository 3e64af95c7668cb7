/**
 * Named places where chaos tests bend time: crash here, pause here, wait here. Without `initRacepoints` at
 * the start of the process every racepoint is one property read and returns at once.
 *
 * Law: only `main.ts` turns them on, from `MAKIMA_RACE`, and says so in the log; where NODE_ENV says
 * production the process does not start with them.
 */
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';

type Action =
  | { readonly kind: 'crash'; readonly file: string | undefined }
  | { readonly kind: 'pause'; readonly pauseMs: number }
  | { readonly kind: 'latch'; readonly file: string | undefined };

interface Trap {
  readonly action: Action;
  /** Which passing springs it: 1 = the first; 0 = every one. */
  readonly nth: number;
  passed: number;
  reached: PromiseWithResolvers<void>;
  release: PromiseWithResolvers<void>;
}

let traps: Map<string, Trap> | undefined;
const crashExitCode = 137;
const latchPollMs = 10;

/**
 * Turn racepoints on. Form: `name=crash`, `name=crash:/a/file`, `name=pause:500`, `name=latch`,
 * `name=latch:/a/file`, joined by `;`, each with an optional `@n` behind the name for the n-th passing only.
 * A crash with a file happens only while the file is there, and takes it away first: once for each time
 * that somebody puts it there. A latch with a file writes `<file>.reached` and waits until the file exists;
 * one without waits for `releaseRacepoint`. An empty or missing text turns them off.
 * Throws on a text it does not understand, and on any in production.
 */
export function initRacepoints(text: string | undefined, nodeEnv?: string): readonly string[] {
  traps = undefined;
  if (!text?.trim()) return [];
  if (nodeEnv === 'production') throw new Error('racepoints (MAKIMA_RACE) are for tests alone');
  traps = new Map(
    text
      .split(';')
      .filter((part) => part.trim())
      .map(parseTrap),
  );
  return [...traps.keys()];
}

/** Pass a named place. Resolves at once unless a trap was set for it. */
export function racepoint(name: string): Promise<void> | void {
  const trap = traps?.get(name);
  if (trap !== undefined) return spring(trap);
}

/** Resolves when a latch was reached. In-process tests only. */
export function racepointReached(name: string): Promise<void> {
  return trapOf(name).reached.promise;
}

/** Let a latch go. In-process tests only. */
export function releaseRacepoint(name: string): void {
  trapOf(name).release.resolve();
}

async function spring(trap: Trap): Promise<void> {
  trap.passed += 1;
  if (trap.nth !== 0 && trap.passed !== trap.nth) return;
  const { action } = trap;
  switch (action.kind) {
    case 'crash':
      if (action.file !== undefined && !isTaken(action.file)) return;
      // As kill -9 would: nobody gets to tidy up.
      process.removeAllListeners('exit');
      process.exit(crashExitCode);
    case 'pause':
      await sleep(action.pauseMs);
      return;
    case 'latch':
      trap.reached.resolve();
      if (action.file === undefined) await trap.release.promise;
      else await fileAppears(action.file);
  }
}

/** Whether the file was there, and is gone by us. */
function isTaken(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

async function fileAppears(file: string): Promise<void> {
  writeFileSync(`${file}.reached`, String(process.pid));
  while (!existsSync(file)) await sleep(latchPollMs);
}

function parseTrap(part: string): [string, Trap] {
  const match = /^\s*([a-z0-9_.-]+)(?:@(\d+))?=(crash|pause|latch)(?::(.+?))?\s*$/.exec(part);
  if (!match) throw new Error(`racepoint not understood: ${part}`);
  const [, name = '', nth, kind, argument] = match;
  const action: Action =
    kind === 'pause'
      ? { kind, pauseMs: Number(argument ?? 1000) }
      : { kind: kind === 'crash' ? 'crash' : 'latch', file: argument };
  const trap: Trap = {
    action,
    nth: Number(nth ?? 0),
    passed: 0,
    reached: Promise.withResolvers(),
    release: Promise.withResolvers(),
  };
  return [name, trap];
}

function trapOf(name: string): Trap {
  const trap = traps?.get(name);
  if (trap === undefined) throw new Error(`no racepoint is set for ${name}`);
  return trap;
}

function sleep(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}
