/** Output, conversation and transcript: append-only rows with positions. */
import type { OutputLine } from '@makima/contracts/socket/reports';
import type { Queryable, Tx } from '../client.ts';
import type { ConversationMessageRow } from '../rows.ts';

export async function insertOutput(
  tx: Tx,
  row: {
    ownerId: string;
    taskId: string;
    attempt: number;
    fromSeq: number;
    lines: readonly OutputLine[];
  },
): Promise<void> {
  await tx`
    insert into task_outputs (owner_id, task_id, attempt, from_seq, count, lines)
    values (${row.ownerId}, ${row.taskId}, ${row.attempt}, ${row.fromSeq}, ${row.lines.length}, ${tx.json(row.lines as never)})
    on conflict (task_id, attempt, from_seq) do nothing`;
}

export interface OutputBatch {
  readonly attempt: number;
  readonly fromSeq: number;
  readonly count: number;
  readonly lines: OutputLine[];
}

/** Batches that hold lines after (attempt, seq), oldest first. */
export async function outputsAfter(
  db: Queryable,
  args: { ownerId: string; taskId: string; attempt: number; seq: number; limit: number },
): Promise<OutputBatch[]> {
  return db<OutputBatch[]>`
    select attempt, from_seq, count, lines from task_outputs
     where owner_id = ${args.ownerId} and task_id = ${args.taskId}
       and (attempt > ${args.attempt} or (attempt = ${args.attempt} and from_seq + count - 1 > ${args.seq}))
     order by attempt, from_seq limit ${args.limit}`;
}

export interface NewMessage {
  readonly role: 'user' | 'assistant' | 'system' | 'tool';
  readonly content: string;
  readonly toolName: string | null;
  readonly toolUseId: string | null;
  readonly toolInput: unknown;
  readonly isError: boolean;
  readonly at: string;
}

/** Append to a task's conversation; the task's row lock orders the positions. Answers the last position. */
export async function appendConversation(
  tx: Tx,
  args: { ownerId: string; taskId: string; attempt: number; messages: readonly NewMessage[] },
): Promise<number> {
  const [row] = await tx<{ last: number | null }[]>`
    with at as (select coalesce(max(seq), 0) as seq from conversation_messages where task_id = ${args.taskId}),
    made as (
      insert into conversation_messages (owner_id, task_id, attempt, seq, role, content, tool_name, tool_use_id, tool_input, is_error, at)
      select ${args.ownerId}, ${args.taskId}, ${args.attempt}, at.seq + m.i, m.role, m.content, m.tool_name, m.tool_use_id, m.tool_input, m.is_error, m.at
        from at, jsonb_to_recordset(${tx.json(
          args.messages.map((m, i) => ({
            i: i + 1,
            role: m.role,
            content: m.content,
            tool_name: m.toolName,
            tool_use_id: m.toolUseId,
            tool_input: m.toolInput ?? null,
            is_error: m.isError,
            at: m.at,
          })) as never,
        )}) as m(i int, role text, content text, tool_name text, tool_use_id text, tool_input jsonb, is_error boolean, at timestamptz)
      returning seq)
    select max(seq) as last from made`;
  return row?.last ?? 0;
}

export async function conversationAfter(
  db: Queryable,
  args: { ownerId: string; taskId: string; seq: number; limit: number },
): Promise<ConversationMessageRow[]> {
  return db<ConversationMessageRow[]>`
    select * from conversation_messages where owner_id = ${args.ownerId} and task_id = ${args.taskId} and seq > ${args.seq}
     order by seq limit ${args.limit}`;
}

/** The last messages of a conversation that people would read, oldest first, each cut at `chars`. */
export async function conversationTail(
  db: Queryable,
  args: { taskId: string; limit: number; chars: number },
): Promise<{ role: string; content: string }[]> {
  const rows = await db<{ role: string; content: string }[]>`
    select role, left(content, ${args.chars}) as content from conversation_messages
     where task_id = ${args.taskId} and role in ('user', 'assistant') and content <> ''
     order by seq desc limit ${args.limit}`;
  return rows.toReversed();
}

/** Count and gap of a conversation, for restoration. */
export async function conversationShape(
  db: Queryable,
  args: { taskId: string },
): Promise<{ count: number; lastSeq: number }> {
  const [row] = await db<{ count: number; lastSeq: number }[]>`
    select count(*)::int as count, coalesce(max(seq), 0) as last_seq from conversation_messages where task_id = ${args.taskId}`;
  return row ?? { count: 0, lastSeq: 0 };
}

/** Append transcript lines; a batch that is there already changes nothing. */
export async function appendTranscript(
  tx: Tx,
  row: {
    ownerId: string;
    taskId: string;
    attempt: number;
    attemptSeq: number;
    lines: readonly string[];
  },
): Promise<void> {
  await tx`
    insert into transcript_lines (task_id, seq, count, owner_id, attempt, attempt_seq, lines)
    select ${row.taskId}, coalesce((select seq + count from transcript_lines where task_id = ${row.taskId} order by seq desc limit 1), 1),
           ${row.lines.length}, ${row.ownerId}, ${row.attempt}, ${row.attemptSeq}, ${row.lines as string[]}::text[]
    on conflict (task_id, attempt, attempt_seq) do nothing`;
}

export async function transcriptFrom(
  db: Queryable,
  args: { ownerId: string; taskId: string; seq: number; limit: number },
): Promise<{ seq: number; count: number; lines: string[] }[]> {
  return db<{ seq: number; count: number; lines: string[] }[]>`
    select seq, count, lines from transcript_lines
     where owner_id = ${args.ownerId} and task_id = ${args.taskId} and seq + count > ${args.seq} order by seq limit ${args.limit}`;
}

export async function hasTranscript(db: Queryable, args: { taskId: string }): Promise<boolean> {
  const [row] = await db<
    { there: boolean }[]
  >`select exists (select 1 from transcript_lines where task_id = ${args.taskId}) as there`;
  return row?.there ?? false;
}

/** Forget a transcript whose conversation was lost, before a new one begins. */
export async function dropTranscript(tx: Tx, args: { taskId: string }): Promise<void> {
  await tx`delete from transcript_lines where task_id = ${args.taskId}`;
}

/** The newest attempt of a task that wrote a transcript; 0 when none did. */
export async function newestTranscriptAttempt(
  db: Queryable,
  args: { taskId: string },
): Promise<number> {
  const [row] = await db<{ attempt: number }[]>`
    select coalesce(max(attempt), 0) as attempt from transcript_lines where task_id = ${args.taskId}`;
  return row?.attempt ?? 0;
}
