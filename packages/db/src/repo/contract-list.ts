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
  const places: ListPlace[] = [];
  const from = args.after === undefined ? 0 : attentionRank(args.after.attention);
  // One after the other: most pages are full with the first, and a statement is planned for what it asks.
  for (const attention of attentions.slice(from)) {
    const limit = args.limit - places.length;
    if (limit === 0) break;
    places.push(...(await ofAttention(db, attention, { ...args, limit })));
  }
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

async function ofAttention(
  db: Queryable,
  attention: Attention,
  args: RankedQuery,
): Promise<ListPlace[]> {
  const { after } = args;
  return db<ListPlace[]>`
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
const asked: Search = (db, { ownerId }) => db`
  select contract_id from questions where owner_id = ${ownerId} and status = 'open' and contract_id is not null
   union select contract_id from confirmations where owner_id = ${ownerId} and state = 'open'`;
const needs: Search = (db, args) => db`(id in (${asked(db, args)})
  or status <> 'paused' and id = any(${[...args.standing]}::uuid[]))`;
/** As one set, so that a page of few among many is found without a walk over all. */
const needy: Search = (db, args) => db`id in (
  select id from contracts where owner_id = ${args.ownerId} and status in ('waiting_for_input', 'blocked')
   union ${asked(db, args)}
   union select id from contracts where owner_id = ${args.ownerId} and status <> 'paused'
            and id = any(${[...args.standing]}::uuid[]))`;

/**
 * What follows is asked of each contract by itself (a value, not `exists`): as a set it would be made of all
 * tasks that there are.
 */
const hasTask = (db: Queryable, which: Fragment): Fragment => db`
  (select true from tasks t where t.contract_id = contracts.id and ${which} limit 1) is true`;
const leadIs = (db: Queryable, session: string): Fragment => db`
  (select t.session = ${session} from tasks t where t.id = contracts.supervisor_task_id) is true`;
const stale: Search = (db, { thresholdMs }) => db`(${isStale(db, thresholdMs)})`;
const limited: Search = (
  db,
) => db`(${hasTask(db, db`t.session = 'limited'`)} and (${leadIs(db, 'limited')}
    or (select s.state in ('idle', 'waiting_for_tasks') from supervisors s where s.contract_id = contracts.id) is true
       and not ${hasTask(db, db`not t.is_supervisor and t.status in ('starting', 'running')`)}))`;
const works: Search = (db) => db`(status = 'completing' or ${leadIs(db, 'parked')}
  or ${hasTask(db, db`t.status in ('starting', 'running')`)})`;

const searches: Readonly<Record<Attention, Search>> = {
  needs_you: (
    db,
    args,
  ) => db`status in ('created', 'active', 'waiting_for_input', 'paused', 'blocked', 'completing')
    and ${needy(db, args)}`,
  failed: (db) => db`status = 'failed'`,
  stale: (db, args) => db`status = 'active' and ${stale(db, args)} and not ${needs(db, args)}`,
  limited: (db, args) => db`status in ('created', 'active', 'completing')
    and ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  running: (db, args) => db`status in ('created', 'active', 'completing') and ${works(db, args)}
    and not ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  queued: (db, args) => db`status in ('created', 'active') and not ${works(db, args)}
    and not ${limited(db, args)} and not ${stale(db, args)} and not ${needs(db, args)}`,
  paused: (db, args) => db`status = 'paused' and not id in (${asked(db, args)})`,
  done: (db) => db`status = 'completed'`,
  archived: (db) => db`status = 'archived'`,
};
