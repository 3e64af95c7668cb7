// A small task that somebody asks for at any moment: when its agent begins, everything on the way works.
// Law: asked for once, under one idempotency key, until somebody says yes; it belongs to a contract of its own.
import type { House } from '../house/house.ts';
import type { LedgerLine } from '../ledger.ts';
import { found, pause } from '../pause.ts';
import type { Operations } from './operations.ts';
import { planOf, repositoryAt } from '../scenario.ts';

export interface Prober {
  /** How the agent of a fresh task began, as its ledger says; null when none did. */
  ask(name: string): Promise<LedgerLine | null>;
}

const acceptedWithinMs = 90_000;
const begunWithinMs = 120_000;

/** The contract of all probes: its supervisor waits for a word that nobody says. */
export async function openProber(house: House, operations: Operations): Promise<Prober> {
  const { client, ledger, dir, placeOf } = house;
  const contract = await client.call('createContract', {
    body: {
      name: 'probes',
      description: 'Tasks that begin and end.',
      contractType: 'simple',
      repositories: [placeOf(repositoryAt(dir, 'probes'))],
      phaseGuard: false,
      autoCompleteEnabled: false,
      agent: 'scripted',
      supervisorPlan: planOf([{ wait_message: { containing: 'never said' } }]),
    },
  });
  let asked = 0;
  const spawn = async (name: string): Promise<string> => {
    asked += 1;
    const idempotencyKey = `probe-${asked}`;
    const body = {
      name: `${name}-${asked}`,
      plan: planOf([{ done: 'here' }]),
      contractId: contract.id,
      priority: 100,
    };
    const limit = performance.now() + acceptedWithinMs;
    for (;;) {
      try {
        const { id } = await client.call('spawnTask', { idempotencyKey, body, timeoutMs: 5_000 });
        operations.taskSpawned(id);
        return id;
      } catch (error) {
        if (performance.now() > limit) throw error;
        await pause(100);
      }
    }
  };
  return {
    async ask(name) {
      const task = await spawn(name).catch(() => null);
      if (task === null) return null;
      const begun = await found(() => ledger.startOf(task), { withinMs: begunWithinMs });
      return begun ?? null;
    },
  };
}
