/** Mail to agents: kept until the agent has it, sent again with the next attempt. */
import type { Queryable, Tx } from '../client.ts';
import type { AgentMessageRow } from '../rows.ts';

export async function insertAgentMessage(
  tx: Tx,
  row: {
    id?: string;
    ownerId: string;
    contractId: string | null;
    taskId: string;
    text: string;
    mode: 'queue' | 'steer' | 'interrupt';
    /** notice, answer, wake, person, supervisor. */
    source: string;
    sourceId: string | null;
    requestId: string | null;
    answer: string | null;
  },
): Promise<AgentMessageRow> {
  const [made] = await tx<
    AgentMessageRow[]
  >`insert into agent_messages ${tx(row as never)} returning *`;
  return made as AgentMessageRow;
}

/** Not yet delivered, oldest first; a notice before all, since an agent must know where it stands before it acts. */
export async function undeliveredMessages(
  db: Queryable,
  args: { taskId: string },
): Promise<AgentMessageRow[]> {
  return db<AgentMessageRow[]>`
    select * from agent_messages where task_id = ${args.taskId} and state in ('pending', 'queued')
     order by source in ('notice', 'wake') desc, id`;
}

export async function markMessagesSent(
  tx: Tx,
  args: { ids: readonly string[]; attempt: number },
): Promise<void> {
  if (args.ids.length === 0) return;
  await tx`update agent_messages set sent_attempt = ${args.attempt} where id = any(${args.ids as string[]}::uuid[])`;
}

/** What it says now, while nobody was sent it; false when somebody was. */
export async function rewriteUnsent(tx: Tx, args: { id: string; text: string }): Promise<boolean> {
  const done = await tx`
    update agent_messages set text = ${args.text}
     where id = ${args.id} and state = 'pending' and sent_attempt is null`;
  return done.count === 1;
}

/** A receipt. `delivered` is final: the agent's conversation holds it. */
export async function receiveMessage(
  tx: Tx,
  args: { ownerId: string; taskId: string; id: string; state: 'queued' | 'delivered' | 'refused' },
): Promise<AgentMessageRow | undefined> {
  const [row] = await tx<AgentMessageRow[]>`
    update agent_messages set state = ${args.state},
           delivered_at = case when ${args.state} = 'delivered' then clock() else delivered_at end
     where owner_id = ${args.ownerId} and task_id = ${args.taskId} and id = ${args.id} and state in ('pending', 'queued')
       and state <> ${args.state} returning *`;
  return row;
}

export async function findAgentMessage(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<AgentMessageRow | undefined> {
  const [row] = await db<
    AgentMessageRow[]
  >`select * from agent_messages where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** What its task has not read by now, in order; `only` of a source, since a moment where one is given. */
export async function refuseUnread(
  tx: Tx,
  args: {
    ownerId: string;
    taskId: string;
    only?: { source: string; since: Date | null };
  },
): Promise<AgentMessageRow[]> {
  const { only } = args;
  const rows = await tx<AgentMessageRow[]>`
    update agent_messages set state = 'refused'
     where owner_id = ${args.ownerId} and task_id = ${args.taskId} and state in ('pending', 'queued')
       ${only === undefined ? tx`` : tx`and source = ${only.source}`}
       ${only?.since == null ? tx`` : tx`and created_at > ${only.since}`} returning *`;
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** How many messages of a source were sent to this attempt. */
export async function countMessages(
  db: Queryable,
  args: { taskId: string; source: string; attempt: number },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from agent_messages
     where task_id = ${args.taskId} and source = ${args.source} and sent_attempt = ${args.attempt}`;
  return row?.n ?? 0;
}
