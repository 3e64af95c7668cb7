// The nemesis: kills one process after the other at seeded moments, and says what it did.
// Law: it ends only processes of the stack that this run started, by pid; a fault that hits nothing is not counted.
import { Redis } from 'ioredis';
import type { Stack } from '@makima/stack/stack';
import type { Chance } from './chance.ts';
import { liveAgents } from './agents.ts';

export const faultKinds = [
  'api',
  'scheduler',
  'restorer',
  'gateway',
  'daemon',
  'agent',
  'flush',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  readonly pid: number | null;
}

export interface Nemesis {
  /** Does one fault; null when there was nothing to hit. */
  strike(kind: FaultKind): Promise<Fault | null>;
  close(): Promise<void>;
}

export function nemesisOf(stack: Stack, chance: Chance, ledger: string): Nemesis {
  const redis = new Redis(stack.addresses.redisUrl, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {});
  const killProcess = (kind: FaultKind): number | null => {
    const name = kind === 'gateway' ? 'gateway' : kind;
    const found = [...stack.processes.entries()].find(
      ([key]) => key === name || key.endsWith(name),
    );
    const pid = found?.[1].pid ?? null;
    if (found === undefined || pid === null) return null;
    found[1].signal('SIGKILL');
    return pid;
  };
  return {
    async strike(kind) {
      if (kind === 'flush') {
        try {
          await redis.flushall();
        } catch {
          return null;
        }
        return { kind, at: Date.now(), pid: null };
      }
      if (kind === 'agent') {
        const agents = liveAgents(ledger);
        if (agents.length === 0) return null;
        const pid = chance.pick(agents);
        process.kill(pid, 'SIGKILL');
        return { kind, at: Date.now(), pid };
      }
      const pid = killProcess(kind);
      return pid === null ? null : { kind, at: Date.now(), pid };
    },
    async close() {
      redis.disconnect();
    },
  };
}
