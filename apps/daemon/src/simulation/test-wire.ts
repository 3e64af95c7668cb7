/**
 * The wire of the simulation: which frame arrives next, and what becomes of it.
 *
 * Law: mostly in order; sometimes out of it, twice, or never; sometimes the server dies of it.
 */
import * as daemon from './test-daemon.ts';
import * as server from './test-server.ts';
import { pick, type World } from './test-world.ts';

/** Takes a frame from a queue: mostly the first, sometimes another, sometimes leaving it there to come again. */
function take<T>(world: World, queue: T[], n: number): T | undefined {
  const at = n % 5 === 0 ? n % Math.max(1, queue.length) : 0;
  const isDoubled = n % 11 === 0;
  const isLost = n % 13 === 0;
  const frame = isDoubled ? queue[at] : queue.splice(at, 1)[0];
  if (frame === undefined) return undefined;
  if (at > 0) world.seen.mark = 'out of order';
  if (isDoubled) world.seen.mark = 'doubled';
  if (isLost) world.seen.mark = 'lost';
  return isLost ? undefined : frame;
}

export function up(world: World, n: number): void {
  const link = pick(
    world.links.filter(({ up }) => up.length > 0),
    n,
  );
  if (link === undefined) return;
  const frame = take(world, link.up, n);
  const dies = n % 29 === 0 ? 'before' : n % 31 === 0 ? 'after' : 'no';
  if (frame !== undefined) server.onUp(world, link, frame, dies);
  if (dies !== 'no') serverDies(world);
}

/** Its gateways forget everything; its store does not. */
export function serverDies(world: World): void {
  for (const link of world.links) Object.assign(link, { cut: true, talk: null });
  world.seen.mark = 'server crashed';
}

export function down(world: World, n: number): void {
  const { link } = world.daemon;
  if (link === null) return;
  const frame = take(world, link.down, n);
  if (frame !== undefined) daemon.onDown(world, frame);
}
