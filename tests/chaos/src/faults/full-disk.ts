// A disk that is full to the last byte, for a while.
import type { House } from '../house/house.ts';
import type { DiskPart } from '../house/disks.ts';
import { found, inTime } from '../pause.ts';
import type { Fault } from './fault.ts';
import { withRedis } from './redis.ts';

const lastsMs = 7_000;

/** What its owner says about it when it is asked to write; undefined while it still can. */
type Refusal = (house: House) => Promise<string | undefined>;

function fullDisk(part: DiskPart, refusal: Refusal): Fault {
  return {
    about: `the disk of ${part} is full to the last byte for ${lastsMs / 1_000} s`,
    recovery: 'probe',
    strike(house) {
      const disk = house.disks.get(part);
      if (disk === undefined) throw new Error(`${part} has no disk of its own in this house`);
      let refused: string | undefined;
      disk.fill();
      const looking = found(
        async () => {
          // What its owner frees by itself (an old log) is taken as well.
          disk.fill();
          return refusal(house);
        },
        { withinMs: lastsMs, everyMs: 200 },
      ).then((words) => void (refused = words));
      return {
        hit: `the disk of ${part}`,
        lastsMs,
        async heal() {
          await inTime(looking);
          disk.free();
        },
        evidence: () => refused,
      };
    },
  };
}

export const fullRedisDisk = fullDisk('redis', async (house) => {
  const said = await withRedis(house, async (redis) =>
    redis.set('chaos-full', 'x'.repeat(10_000)).then(
      () => undefined,
      (error: Error) => error.message,
    ),
  );
  return said ?? undefined;
});

export const fullPostgresDisk = fullDisk('postgres', async ({ sql }) => {
  try {
    await sql`create table if not exists chaos_full (text text)`;
    await sql`insert into chaos_full select repeat(md5(random()::text), 500) from generate_series(1, 500)`;
    await sql`truncate chaos_full`;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
});
