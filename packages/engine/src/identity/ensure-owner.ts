/** The first start: an owner, a person, and that person's key, shown this once. */
import { firstOwner, insertKey, insertOwner } from '@makima/db/repo/keys';
import { lockInstallation, newId } from '@makima/db/repo/locks';
import { inTransaction } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import { mintToken } from './token.ts';

/**
 * `handOut` takes the key to the person, before the owner is committed: a death in between leaves a key that
 * opens nothing and a next start that makes another, never an owner without a key. It may run again.
 * @returns the key only when this call made the owner. Safe to race: one caller makes it.
 */
export async function ensureOwner(
  engine: Engine,
  handOut: (ownerKey: string) => Promise<void> = async () => {},
): Promise<{ ownerId: string; ownerKey: string | null }> {
  return inTransaction(engine.database, async (tx) => {
    await lockInstallation(tx);
    const existing = await firstOwner(tx);
    if (existing !== undefined) return { ownerId: existing.id, ownerKey: null };
    const { ownerId, userId } = await insertOwner(tx, { name: 'owner', userName: 'owner' });
    const minted = mintToken('user', await newId(tx));
    await insertKey(tx, {
      id: minted.id,
      ownerId,
      userId,
      kind: 'user',
      name: 'first owner key',
      hash: minted.hash,
      scopes: ['read', 'write', 'owner'],
    });
    await handOut(minted.token);
    return { ownerId, ownerKey: minted.token };
  });
}
