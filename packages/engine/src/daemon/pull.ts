/**
 * What a daemon is to be told: its unacked commands in order; and its word that it has them.
 *
 * Law: a command that no longer reads (a row of another version, a hand in the table) or is larger than a
 * daemon reads is set aside in the audit; it can neither block the daemon's other commands nor vanish in silence.
 */
import { wireLimits } from '@makima/contracts/limits';
import { zCommand, type Command } from '@makima/contracts/socket/commands';
import { ackCommandRow, ackCommandRows, unackedCommands } from '@makima/db/repo/daemons';
import { reading } from '@makima/db/tx';
import type { DaemonCommandRow } from '@makima/db/rows';
import { act, type Engine } from '../context.ts';

export async function pullCommands(
  engine: Engine,
  input: { daemonId: string; afterSeq: number; limit: number },
): Promise<{ seq: number; command: Command }[]> {
  const rows = await reading(engine.database, unackedCommands(engine.database.sql, input));
  const readable: { seq: number; command: Command }[] = [];
  for (const row of rows) {
    const parsed = zCommand.safeParse(row.payload);
    if (!parsed.success) await setAside(engine, row, parsed.error.issues[0]?.path.join('.') ?? '');
    else if (bytesOf(parsed.data) > wireLimits.commandBytes) await setAside(engine, row, 'size');
    else readable.push({ seq: row.seq, command: parsed.data });
  }
  return readable;
}

function bytesOf(command: Command): number {
  return Buffer.byteLength(JSON.stringify(command));
}

async function setAside(engine: Engine, row: DaemonCommandRow, where: string): Promise<void> {
  const caller = { kind: 'system', ownerId: row.ownerId, name: 'delivery' } as const;
  await act(engine, { caller }, async (a) => {
    const done = await ackCommandRow(a.tx, { daemonId: row.daemonId, seq: row.seq });
    if (!done) return;
    const { kind, taskId, attempt, seq } = row;
    const detail = { seq, kind, taskId, attempt, where };
    a.audit('command.set_aside', 'refused', { kind: 'daemon', id: row.daemonId }, detail);
  });
}

export async function ackCommands(
  engine: Engine,
  input: { daemonId: string; upToSeq: number },
): Promise<void> {
  await reading(engine.database, ackCommandRows(engine.database.sql, input));
}
