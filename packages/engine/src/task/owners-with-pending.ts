/** Whose tasks wait for a place: where the scheduler's sweep looks. */
import { ownersWithPending as owners } from '@makima/db/repo/tasks';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';

export function ownersWithPending(engine: Engine): Promise<string[]> {
  return reading(engine.database, owners(engine.database.sql));
}
