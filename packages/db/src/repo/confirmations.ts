/** A person's confirmations: what was shown, who decided, and that it was used once. */
import type { Queryable, Tx } from '../client.ts';
import type { ConfirmationRow } from '../rows.ts';

export async function insertConfirmation(
  tx: Tx,
  row: Pick<
    ConfirmationRow,
    | 'ownerId'
    | 'contractId'
    | 'kind'
    | 'fromPhase'
    | 'toPhase'
    | 'contractVersion'
    | 'digest'
    | 'requestedBy'
  > & {
    shown: Record<string, unknown>[];
  },
): Promise<ConfirmationRow> {
  const [made] = await tx<ConfirmationRow[]>`
    insert into confirmations ${tx({ ...row, shown: tx.json(row.shown as never) } as never)} returning *`;
  return made as ConfirmationRow;
}

export async function openConfirmation(
  db: Queryable,
  args: { contractId: string },
): Promise<ConfirmationRow | undefined> {
  const [row] = await db<
    ConfirmationRow[]
  >`select * from confirmations where contract_id = ${args.contractId} and state = 'open'`;
  return row;
}

export async function findConfirmation(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<ConfirmationRow | undefined> {
  const [row] = await db<
    ConfirmationRow[]
  >`select * from confirmations where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** Decided once, by a person. */
export async function decideConfirmation(
  tx: Tx,
  args: {
    id: string;
    state: 'approved' | 'rejected';
    userId: string;
    keyId: string;
    notes: string | null;
  },
): Promise<ConfirmationRow | undefined> {
  const [row] = await tx<ConfirmationRow[]>`
    update confirmations set state = ${args.state}, decided_by_user_id = ${args.userId}, decided_by_key_id = ${args.keyId},
           decided_at = clock(), notes = ${args.notes}
     where id = ${args.id} and state = 'open' returning *`;
  return row;
}

export async function closeConfirmation(
  tx: Tx,
  args: { id: string; state: 'used' | 'void' },
): Promise<void> {
  await tx`update confirmations set state = ${args.state} where id = ${args.id} and state in ('open', 'approved')`;
}

/** The question through which people see this confirmation. */
export async function questionOfConfirmation(
  db: Queryable,
  args: { confirmationId: string },
): Promise<{ id: string; askedAt: Date } | undefined> {
  const [row] = await db<{ id: string; askedAt: Date }[]>`
    select id, asked_at from questions where confirmation_id = ${args.confirmationId} order by id desc limit 1`;
  return row;
}

/** A person confirmed the completion of this version of the contract. */
export async function completionConfirmed(
  db: Queryable,
  args: { contractId: string; version: number },
): Promise<boolean> {
  const rows = await db`
    select 1 from confirmations where contract_id = ${args.contractId} and kind = 'completion'
       and state in ('approved', 'used') and contract_version = ${args.version}`;
  return rows.length > 0;
}

/** A person said no to this very state of the contract. */
export async function wasSentBack(
  db: Queryable,
  args: { contractId: string; version: number; digest: string },
): Promise<boolean> {
  const rows = await db`
    select 1 from confirmations where contract_id = ${args.contractId} and state = 'rejected'
       and contract_version = ${args.version} and digest = ${args.digest} limit 1`;
  return rows.length > 0;
}

/**
 * The newest no of a person to this very state of the contract, when nothing has happened since that they could
 * see anew: no work merged, no deliverable shown again, no word of theirs to who leads it.
 */
export async function refusedAsItStands(
  db: Queryable,
  args: { contractId: string; version: number; digest: string },
): Promise<{ by: string; notes: string | null } | undefined> {
  const [row] = await db<{ by: string; notes: string | null; isNew: boolean }[]>`
    select u.name as by, c.notes,
           exists (select 1 from operations o where o.contract_id = c.contract_id and o.kind = 'branch.merge'
                      and o.state = 'done' and o.result->>'success' = 'true' and o.finished_at > c.decided_at)
           or exists (select 1 from deliverables d where d.contract_id = c.contract_id and d.completed_at > c.decided_at)
           or exists (select 1 from agent_messages m join tasks t on t.id = m.task_id and t.is_supervisor
                       where t.contract_id = c.contract_id and m.source = 'person' and m.created_at > c.decided_at)
           or exists (select 1 from questions q where q.contract_id = c.contract_id and q.confirmation_id is null
                         and q.answered_by_user_id is not null and q.answered_at > c.decided_at) as is_new
      from confirmations c join users u on u.id = c.decided_by_user_id
     where c.contract_id = ${args.contractId} and c.state = 'rejected' and c.contract_version = ${args.version}
       and c.digest = ${args.digest}
     order by c.decided_at desc limit 1`;
  return row === undefined || row.isNew ? undefined : { by: row.by, notes: row.notes };
}
