/**
 * Counts of an owner, kept by triggers as rows that are added up when they are read.
 *
 * Law: a reader sees in one snapshot either the rows or their sum, so that a count is never wrong.
 */
import type { Queryable, Sql } from '../client.ts';

export type TallyKind = 'contract' | 'phase_change' | 'completion' | 'restoration';

export interface Tally {
  readonly one: string;
  readonly two: string;
  readonly n: number;
}

/** Of one owner, without those that came to nothing. */
export async function talliesOf(
  db: Queryable,
  args: { ownerId: string; kind: TallyKind },
): Promise<Tally[]> {
  return db<Tally[]>`
    select one, two, sum(n)::int as n from tallies where owner_id = ${args.ownerId} and kind = ${args.kind}
     group by one, two having sum(n) <> 0`;
}

/** Over all owners, for metrics. */
export async function allTallies(db: Queryable): Promise<(Tally & { readonly kind: TallyKind })[]> {
  return db<(Tally & { kind: TallyKind })[]>`
    select kind, one, two, sum(n)::int as n from tallies group by kind, one, two having sum(n) <> 0`;
}

/** Add up what has several rows; answers how many rows that were. One at a time. */
export async function foldTallies(sql: Sql, args: { limit: number }): Promise<number> {
  const [row] = await sql<{ folded: number }[]>`
    with groups as (
      select owner_id, kind, one, two from tallies group by owner_id, kind, one, two having count(*) > 1 limit ${args.limit}
    ), gone as (
      delete from tallies t using groups g
       where t.owner_id = g.owner_id and t.kind = g.kind and t.one = g.one and t.two = g.two
      returning t.owner_id, t.kind, t.one, t.two, t.n
    ), sums as (
      insert into tallies (owner_id, kind, one, two, n)
      select owner_id, kind, one, two, sum(n) from gone group by owner_id, kind, one, two having sum(n) <> 0
    ) select count(*)::int as folded from gone`;
  return row?.folded ?? 0;
}
