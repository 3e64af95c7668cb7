// Contracts of the demo that nobody watches any more.
// Why: an interrupted demo would go on at the next start, wait for an answer that nobody gives, and keep a
// place on this machine from real work.
// Law: only contracts that a demo made are ended, and only those from before this one began.
import type { Client } from '@makima/client/client';
import { cancelledReason, isTerminal } from '@makima/domain/contract';

export const demoName = 'demo';
/** What a contract of the demo has as its goal begins with one of these. */
export const demoGoals = {
  mend: 'The tests of this repository fail. Make them pass: mend slug, words and initials, each in a task of its own.',
  notes: 'Write three short notes about this repository.',
} as const;

/** Ends a contract; that it has ended already is fine. */
export async function endContract(client: Client, id: string, why: string): Promise<void> {
  const body = { targetStatus: 'failed', reason: `${cancelledReason}: ${why}` } as const;
  const signal = AbortSignal.timeout(5_000);
  await client.call('changeStatus', { params: { id }, body, signal }).catch(() => undefined);
}

/** Ends what demos before this one left behind. Answers how many. */
export async function endLeftovers(client: Client, before: Date): Promise<number> {
  const goals: readonly string[] = Object.values(demoGoals);
  const { items } = await client.call('listContracts', { query: { limit: 200 } });
  const left = items.filter(
    (one) =>
      one.name === demoName &&
      goals.includes(one.description) &&
      !isTerminal(one.status) &&
      new Date(one.createdAt) < before,
  );
  for (const one of left) await endContract(client, one.id, 'its demo has left');
  return left.length;
}
