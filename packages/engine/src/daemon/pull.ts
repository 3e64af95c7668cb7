/** What a daemon is to be told: its unacked commands in order; and its word that it has them. */
import { zCommand, type Command } from '@makima/contracts/socket/commands';
import { ackCommandRows, unackedCommands } from '@makima/db/repo/daemons';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';

export async function pullCommands(
  engine: Engine,
  input: { daemonId: string; afterSeq: number; limit: number },
): Promise<{ seq: number; command: Command }[]> {
  const rows = await reading(engine.database, unackedCommands(engine.database.sql, input));
  return rows.map((row) => ({ seq: row.seq, command: zCommand.parse(row.payload) }));
}

export async function ackCommands(
  engine: Engine,
  input: { daemonId: string; upToSeq: number },
): Promise<void> {
  await reading(engine.database, ackCommandRows(engine.database.sql, input));
}
