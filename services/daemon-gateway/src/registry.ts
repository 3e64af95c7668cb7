/**
 * The connections of this process: all of them, and the one of each daemon.
 *
 * Law: a daemon has one connection here, the newest; copies of a daemon that push each other out are both
 * sent away.
 */
import type { Held } from './held.ts';

export interface Registry {
  readonly all: ReadonlySet<Held>;
  add(connection: Held): void;
  remove(connection: Held): void;
  /** The one that was welcomed last for this daemon and still lives. */
  of(daemonId: string): Held | undefined;
  /** Makes this the daemon's one; answers the one that was it before. */
  claim(connection: Held): Held | undefined;
  /**
   * A daemon with this boot id comes. False when another life of the same daemon is connected and the two
   * have pushed each other out too often in the last minute.
   */
  admits(daemonId: string, bootId: string): boolean;
}

const takeoversPerMinute = 3;
const minuteMs = 60_000;

export function createRegistry(now: () => number): Registry {
  const all = new Set<Held>();
  const byDaemon = new Map<string, Held>();
  const takeovers = new Map<string, number[]>();

  return {
    all,
    add: (connection) => void all.add(connection),
    remove(connection) {
      all.delete(connection);
      const { daemonId } = connection.daemon;
      if (byDaemon.get(daemonId) === connection) byDaemon.delete(daemonId);
    },
    of: (daemonId) => byDaemon.get(daemonId),
    claim(connection) {
      const before = byDaemon.get(connection.daemon.daemonId);
      byDaemon.set(connection.daemon.daemonId, connection);
      return before === connection ? undefined : before;
    },
    admits(daemonId, bootId) {
      const present = byDaemon.get(daemonId);
      const recent = (takeovers.get(daemonId) ?? []).filter((at) => now() - at < minuteMs);
      if (present === undefined || present.bootId === bootId) {
        if (recent.length === 0) takeovers.delete(daemonId);
        return true;
      }
      takeovers.set(daemonId, [...recent, now()]);
      return recent.length < takeoversPerMinute;
    },
  };
}
