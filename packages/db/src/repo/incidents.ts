/** Incidents: what is wrong for a while, opened once and closed once. */
import type { Queryable, Tx } from '../client.ts';
import type { ContractRow, IncidentRow } from '../rows.ts';

export interface IncidentKey {
  readonly ownerId: string;
  readonly kind: string;
  /** What it is about: an id or a name. */
  readonly subject: string;
}

/** Undefined when one of this kind is open for this subject already. */
export async function openIncident(
  tx: Tx,
  args: IncidentKey & { readonly detail: Record<string, unknown> },
): Promise<IncidentRow | undefined> {
  const [row] = await tx<IncidentRow[]>`
    insert into incidents (owner_id, kind, subject, detail)
    values (${args.ownerId}, ${args.kind}, ${args.subject}, ${tx.json(args.detail as never)})
    on conflict (owner_id, kind, subject) where closed_at is null do nothing returning *`;
  return row;
}

/**
 * Undefined when none is open. A transaction has the time of its beginning: one that waited for a lock may close
 * what was opened, by its own clock, later.
 */
export async function closeIncident(tx: Tx, args: IncidentKey): Promise<IncidentRow | undefined> {
  const [row] = await tx<IncidentRow[]>`
    update incidents set closed_at = greatest(clock(), opened_at)
     where owner_id = ${args.ownerId} and kind = ${args.kind} and subject = ${args.subject}
       and closed_at is null returning *`;
  return row;
}

/** Those that are open, the oldest first. */
export async function openIncidents(
  db: Queryable,
  args: { ownerId: string; kind: string; limit: number },
): Promise<IncidentRow[]> {
  return db<IncidentRow[]>`
    select * from incidents where owner_id = ${args.ownerId} and kind = ${args.kind} and closed_at is null
     order by opened_at, id limit ${args.limit}`;
}

/** How many are open of a kind, over all owners. */
export async function countOpenIncidents(
  db: Queryable,
  args: { readonly kind: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from incidents where kind = ${args.kind} and closed_at is null`;
  return row?.n ?? 0;
}

/** Those that are open of a kind, over all owners. */
export async function openIncidentsOfKind(
  db: Queryable,
  args: { readonly kind: string; readonly limit: number },
): Promise<IncidentRow[]> {
  return db<IncidentRow[]>`
    select * from incidents where kind = ${args.kind} and closed_at is null
     order by opened_at, id limit ${args.limit}`;
}

/** Those of one owner that are open of any of these kinds, the oldest first. */
export async function openIncidentsOfKinds(
  db: Queryable,
  args: { readonly ownerId: string; readonly kinds: readonly string[]; readonly limit: number },
): Promise<IncidentRow[]> {
  return db<IncidentRow[]>`
    select * from incidents
     where owner_id = ${args.ownerId} and kind = any(${args.kinds as string[]}) and closed_at is null
     order by opened_at, id limit ${args.limit}`;
}

/** How many are open of each kind, over all owners. */
export async function countIncidentsByKind(
  db: Queryable,
): Promise<{ readonly kind: string; readonly n: number }[]> {
  return db<{ kind: string; n: number }[]>`
    select kind, count(*)::int as n from incidents where closed_at is null group by kind order by kind`;
}

export interface IncidentAtWork extends Pick<IncidentRow, 'openedAt' | 'detail'> {
  readonly contract: Pick<ContractRow, 'id' | 'slug' | 'phase' | 'contractType'>;
}

/** Open ones of a kind whose subject is a contract that is at work, the oldest first. */
export async function incidentsAtWork(
  db: Queryable,
  args: {
    readonly ownerId: string;
    readonly contractId?: string;
    readonly kind: string;
    readonly limit: number;
  },
): Promise<IncidentAtWork[]> {
  const rows = await db<(IncidentAtWork & IncidentAtWork['contract'])[]>`
    select i.opened_at, i.detail, c.id, c.slug, c.phase, c.contract_type
      from incidents i join contracts c on c.owner_id = i.owner_id and c.id = i.subject::uuid
     where i.owner_id = ${args.ownerId} and i.kind = ${args.kind} and i.closed_at is null
       ${args.contractId === undefined ? db`` : db`and i.subject = ${args.contractId}`}
       and c.status in ('active', 'waiting_for_input')
     order by i.opened_at, i.id limit ${args.limit}`;
  return rows.map(({ openedAt, detail, ...contract }) => ({ openedAt, detail, contract }));
}
