/**
 * What attempts used, and the sums of it: totals that only rise, so that a report that comes twice or late
 * counts once.
 *
 * Law: no fence by state: what was used was used, whatever became of the attempt. The caller holds the task.
 */
import type { AttemptCost, Spent, Tokens } from '@makima/domain/usage';
import type { Queryable, Tx } from '../client.ts';
import type { AttemptRow } from '../rows.ts';

/** Undefined when nothing of it is news. */
export async function raiseUsage(
  tx: Tx,
  args: Tokens & {
    taskId: string;
    attempt: number;
    conversationCostMicros: number | null;
    model: string | null;
  },
): Promise<AttemptRow | undefined> {
  const cost = args.conversationCostMicros;
  const [row] = await tx<AttemptRow[]>`
    update task_attempts set
           input_tokens = greatest(input_tokens, ${args.inputTokens}::bigint),
           output_tokens = greatest(output_tokens, ${args.outputTokens}::bigint),
           cache_read_tokens = greatest(cache_read_tokens, ${args.cacheReadTokens}::bigint),
           cache_write_tokens = greatest(cache_write_tokens, ${args.cacheWriteTokens}::bigint),
           conversation_cost_micros = greatest(conversation_cost_micros, ${cost}::bigint),
           conversation_low_micros = least(conversation_low_micros, nullif(${cost}::bigint, 0)),
           model = coalesce(${args.model}, model)
     where task_id = ${args.taskId} and attempt = ${args.attempt}
       and (input_tokens < ${args.inputTokens}::bigint or output_tokens < ${args.outputTokens}::bigint
            or cache_read_tokens < ${args.cacheReadTokens}::bigint
            or cache_write_tokens < ${args.cacheWriteTokens}::bigint
            or coalesce(conversation_cost_micros, -1) < coalesce(${cost}::bigint, -1)
            or conversation_low_micros > nullif(${cost}::bigint, 0))
    returning *`;
  return row;
}

export async function setCosts(
  tx: Tx,
  args: { taskId: string; costs: readonly AttemptCost[] },
): Promise<void> {
  if (args.costs.length === 0) return;
  await tx`
    update task_attempts a set cost_micros = c."costMicros", cost_estimated = c."costEstimated"
      from jsonb_to_recordset(${tx.json(args.costs as never)}::jsonb)
        as c(attempt int, "costMicros" bigint, "costEstimated" boolean)
     where a.task_id = ${args.taskId} and a.attempt = c.attempt`;
}

/** Not a change that anybody expects a version of. */
export async function setTaskSpent(
  tx: Tx,
  args: { ownerId: string; taskId: string; spent: Spent },
): Promise<void> {
  await tx`
    update tasks set ${tx(args.spent as never)} where owner_id = ${args.ownerId} and id = ${args.taskId}`;
}

/** What the tasks of these contracts have spent, by contract. */
export async function spentOfContracts(
  db: Queryable,
  args: { ownerId: string; contractIds: readonly string[] },
): Promise<Map<string, Spent>> {
  if (args.contractIds.length === 0) return new Map();
  const rows = await db<(Spent & { contractId: string })[]>`
    select contract_id, sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
           sum(cache_read_tokens)::bigint as cache_read_tokens,
           sum(cache_write_tokens)::bigint as cache_write_tokens,
           sum(cost_micros)::bigint as cost_micros, bool_or(cost_estimated) as cost_estimated,
           sum(unpriced_tokens)::bigint as unpriced_tokens
      from tasks where owner_id = ${args.ownerId} and contract_id = any(${args.contractIds as string[]}::uuid[])
     group by contract_id`;
  return new Map(rows.map(({ contractId, ...spent }) => [contractId, spent]));
}
