/** The contracts that an operation on many is about. */
import type { ContractStatus } from '@makima/domain/contract';
import type { Queryable } from '../client.ts';

export interface BatchRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: ContractStatus;
  readonly since: Date;
}

/**
 * The oldest first. `staleMs`: only those without progress for so long, that neither wait nor rest. `leftovers`:
 * only those of which a machine that is still ours did not clean a directory, and nobody has asked it again.
 */
export async function contractsForBatch(
  db: Queryable,
  args: {
    ownerId: string;
    statuses: readonly ContractStatus[];
    olderThanMs: number;
    staleMs: number | null;
    leftovers: boolean;
    /** Also those that are paused while an agent of theirs still ends its turn. */
    ending: boolean;
    limit: number;
  },
): Promise<BatchRow[]> {
  const { staleMs } = args;
  return db<BatchRow[]>`
    select c.id, c.slug, c.name, c.status,
           ${staleMs === null ? db`c.status_changed_at` : db`a.last_progress_at`} as since
      from contracts c join contract_activity a on a.contract_id = c.id
     where c.owner_id = ${args.ownerId}
       and (c.status = any(${[...args.statuses]})
            ${
              args.ending
                ? db`or c.status = 'paused' and exists (
              select 1 from tasks t where t.contract_id = c.id and t.status in ('starting', 'running'))`
                : db``
            })
       and c.status_changed_at <= clock() - make_interval(secs => ${args.olderThanMs / 1000})
       ${
         staleMs === null
           ? db``
           : db`and a.last_progress_at <= clock() - make_interval(secs => ${staleMs / 1000})
       and exists (select 1 from tasks t where t.id = c.supervisor_task_id and t.session not in ('parked', 'limited'))`
       }
       ${
         args.leftovers
           ? db`and exists (
         select 1 from operations o join daemons d on d.id = o.daemon_id and d.status <> 'revoked'
          where o.contract_id = c.id and o.kind = 'workdir.clean' and o.state = 'failed'
            and not exists (select 1 from operations x where x.task_id = o.task_id and x.kind = o.kind
                               and x.state in ('done', 'pending')))`
           : db``
       }
     order by c.status_changed_at, c.id limit ${args.limit}`;
}
