/**
 * Contracts of an owner in the order of attention over all pages, within one attention the newest first.
 *
 * Law: one search for each attention, in the words of `contractAttention` of the domain; each goes by id from
 * where the last page ended, so that the whole list reads every contract once for each attention, however
 * many pages it has, and a page stops as soon as it is full.
 */
import { attentionRank, attentions, type Attention } from '@makima/domain/attention-rank';
import type { Queryable } from '../client.ts';
import type { ContractRow } from '../rows.ts';
import { isStale } from './contract-numbers.ts';

export interface ListPlace {
  readonly attention: Attention;
  readonly id: string;
}

export interface RankedQuery {
  readonly ownerId: string;
  readonly status?: readonly string[] | undefined;
  readonly phase?: string | undefined;
  readonly waiting?: boolean | undefined;
  /** Active ones without progress for so long, whose supervisor neither waits nor rests. */
  readonly staleMs?: number | undefined;
  /** Silence after which a contract asks for attention as stale. */
  readonly thresholdMs: number;
  /** Contracts of which something stands still until a person acts. */
  readonly standing: readonly string[];
  readonly after?: ListPlace | undefined;
  readonly limit: number;
}

export type RankedRow = ContractRow & { readonly attention: Attention };

export async function rankedContracts(db: Queryable, args: RankedQuery): Promise<RankedRow[]> {
  const from = args.after === undefined ? 0 : attentionRank(args.after.attention);
  const parts = attentions
    .slice(from)
    .map((attention) => db`(${ofAttention(db, attention, args)})`)
    .reduce((all, part) => db`${all} union all ${part}`);
  const places = await db<ListPlace[]>`select * from (${parts}) ranked limit ${args.limit}`;
  const rows = await db<ContractRow[]>`
    select * from contracts where owner_id = ${args.ownerId} and id = any(${places.map(({ id }) => id)}::uuid[])`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return places.flatMap(({ attention, id }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [{ ...row, attention }];
  });
}

const fragment = (db: Queryable) => db`true`;
type Fragment = ReturnType<typeof fragment>;

function ofAttention(db: Queryable, attention: Attention, args: RankedQuery): Fragment {
  const { after } = args;
  return db`
    select ${attention}::text as attention, id from contracts
     where owner_id = ${args.ownerId} and ${searches[attention](db, args)}
       ${after?.attention === attention ? db`and id < ${after.id}` : db``}
       ${filters(db, args)}
     order by id desc limit ${args.limit}`;
}

function filters(db: Queryable, { status, phase, waiting, staleMs }: RankedQuery): Fragment {
  return db`
    ${status === undefined ? db`` : db`and status = any(${[...status]})`}
    ${phase === undefined ? db`` : db`and phase = ${phase}`}
    ${waiting === undefined ? db`` : waiting ? db`and status = 'waiting_for_input'` : db`and status <> 'waiting_for_input'`}
    ${staleMs === undefined ? db`` : db`and ${isStale(db, staleMs)}`}`;
}

type Search = (db: Queryable, args: RankedQuery) => Fragment;

/** Asked for something: found by what is open, which is little. */
const asked: Search = (db, { ownerId }) => db`id in (
  select contract_id from questions where owner_id = ${ownerId} and status = 'open' and contract_id is not null
   union select contract_id from confirmations where owner_id = ${ownerId} and state = 'open')`;
const stands: Search = (db, { standing }) => db`id = any(${[...standing]}::uuid[])`;
const needs: Search = (db, args) =>
  db`(${asked(db, args)} or status <> 'paused' and ${stands(db, args)})`;
const stale: Search = (db, { thresholdMs }) => db`(${isStale(db, thresholdMs)})`;
const limited: Search = (db) => db`(
  exists (select 1 from tasks t where t.contract_id = contracts.id and t.session = 'limited') and (
    exists (select 1 from tasks t where t.id = contracts.supervisor_task_id and t.session = 'limited')
    or exists (select 1 from supervisors s where s.contract_id = contracts.id and s.state in ('idle', 'waiting_for_tasks'))
       and not exists (select 1 from tasks t where t.contract_id = contracts.id and not t.is_supervisor
                          and t.status in ('starting', 'running'))))`;
const works: Search = (db) => db`(status = 'completing'
  or exists (select 1 from tasks t where t.id = contracts.supervisor_task_id and t.session = 'parked')
  or exists (select 1 from tasks t where t.contract_id = contracts.id and t.status in ('starting', 'running')))`;

const searches: Readonly<Record<Attention, Search>> = {
  needs_you: (db, args) => db`(status in ('waiting_for_input', 'blocked')
    or status in ('created', 'active', 'paused', 'completing') and ${needs(db, args)})`,
  failed: (db) => db`status = 'failed'`,
  stale: (db, args) => db`status = 'active' and ${stale(db, args)} and not ${needs(db, args)}`,
  limited: (db, args) => db`status in ('created', 'active', 'completing')
    and ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  running: (db, args) => db`status in ('created', 'active', 'completing') and ${works(db, args)}
    and not ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  queued: (db, args) => db`status in ('created', 'active') and not ${works(db, args)}
    and not ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  paused: (db, args) => db`status = 'paused' and not ${asked(db, args)}`,
  done: (db) => db`status = 'completed'`,
  archived: (db) => db`status = 'archived'`,
};
