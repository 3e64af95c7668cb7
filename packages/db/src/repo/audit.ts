/** The audit: privileged acts and refusals, insert only. */
import type { Actor } from '@makima/contracts/entity/event';
import type { Tx } from '../client.ts';

export interface NewAudit {
  readonly ownerId: string;
  readonly actor: Actor;
  readonly keyId: string | null;
  readonly action: string;
  readonly outcome: 'done' | 'refused';
  readonly targetKind: string;
  readonly targetId: string;
  readonly detail: Record<string, unknown>;
}

export async function insertAudit(tx: Tx, rows: readonly NewAudit[]): Promise<void> {
  for (const row of rows) {
    await tx`insert into audit (owner_id, actor, key_id, action, outcome, target_kind, target_id, detail)
      values (${row.ownerId}, ${tx.json(row.actor as never)}, ${row.keyId}, ${row.action}, ${row.outcome},
              ${row.targetKind}, ${row.targetId}, ${tx.json(row.detail as never)})`;
  }
}
