/** Keys of people and daemons. */
import { keysOf } from '@makima/db/repo/keys';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { requireOwner } from '../authorize.ts';
import { presentKey, type KeyInfo } from '../present/key.ts';

export async function listKeys(engine: Engine, caller: Principal): Promise<{ items: KeyInfo[] }> {
  requireOwner(caller, 'see keys');
  const rows = await reading(
    engine.database,
    keysOf(engine.database.sql, { ownerId: caller.ownerId }),
  );
  return { items: rows.map(presentKey) };
}
