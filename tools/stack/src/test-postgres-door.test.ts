// Each worker has one server, and what did not start is said.
import { afterEach, describe, expect, it } from 'vitest';
import { askForPostgres, openPostgresDoor, type PostgresDoor } from './test-postgres-door.ts';

let door: PostgresDoor;
afterEach(() => door.close());

describe('the door of a test run', () => {
  it('gives each worker one server, starts none that nobody asked for, and ends all', async () => {
    let started = 0;
    let stopped = 0;
    door = await openPostgresDoor(async () => {
      started += 1;
      return { url: `postgres://server-${started}`, stop: async () => void (stopped += 1) };
    });
    const [one, again] = await Promise.all([
      askForPostgres(door.path, '1'),
      askForPostgres(door.path, '1'),
    ]);
    expect([one, again, started]).toEqual(['postgres://server-1', 'postgres://server-1', 1]);
    expect(await askForPostgres(door.path, '2')).toBe('postgres://server-2');
    await door.close();
    expect([started, stopped]).toEqual([2, 2]);
    await expect(askForPostgres(door.path, '1')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });

  it('says why a server did not start', async () => {
    door = await openPostgresDoor(() => Promise.reject(new Error('no room')));
    await expect(askForPostgres(door.path, '1')).rejects.toThrow(
      'no Postgres for this worker: no room',
    );
  });
});
