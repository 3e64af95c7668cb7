/** How full an agent's mailbox is: what was sent to it and not yet received. */
import type { Queryable } from '../client.ts';

/** Messages on their way, and the bytes of their texts. */
export async function mailboxLoad(
  db: Queryable,
  args: { taskId: string },
): Promise<{ count: number; bytes: number }> {
  const [row] = await db<{ count: number; bytes: number }[]>`
    select count(*)::int as count, coalesce(sum(octet_length(text)), 0)::bigint as bytes
      from agent_messages where task_id = ${args.taskId} and state in ('pending', 'queued')`;
  return row ?? { count: 0, bytes: 0 };
}
