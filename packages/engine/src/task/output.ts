/** What an agent said: its output line by line, and its conversation. Cursors are `attempt.line` and a position. */
import type { z } from 'zod';
import type { zConversationMessage, zOutputEntry } from '@makima/contracts/entity/task';
import { conversationAfter, outputsAfter } from '@makima/db/repo/talk';
import { reading } from '@makima/db/tx';
import { MakimaError } from '@makima/domain/error';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { readableTask } from '../authorize.ts';

interface PageInput {
  readonly id: string;
  readonly limit: number;
  readonly after?: string | undefined;
}

type OutputEntry = z.infer<typeof zOutputEntry>;
type ConversationMessage = z.infer<typeof zConversationMessage>;

export async function listTaskOutput(
  engine: Engine,
  caller: Principal,
  input: PageInput,
): Promise<{ items: OutputEntry[]; nextCursor: string | null }> {
  const { sql } = engine.database;
  const [attempt = 0, seq = 0] = numbers(input.after, 2);
  return reading(
    engine.database,
    (async () => {
      const task = await readableTask(sql, caller, input.id);
      const batches = await outputsAfter(sql, {
        ownerId: caller.ownerId,
        taskId: task.id,
        attempt,
        seq,
        limit: input.limit,
      });
      const all = batches.flatMap((batch) =>
        batch.lines.map((line, i): OutputEntry => ({
          seq: batch.fromSeq + i,
          attempt: batch.attempt,
          messageType: line.messageType,
          content: line.content,
          toolName: line.toolName,
          toolInput: line.toolInput ?? null,
          isError: line.isError,
          costUsd: line.costUsd,
          durationMs: line.durationMs,
          isPartial: line.isPartial,
          at: line.at,
        })),
      );
      const fresh = all
        .filter((entry) => entry.attempt > attempt || entry.seq > seq)
        .slice(0, input.limit);
      const last = fresh.at(-1);
      return {
        items: fresh,
        nextCursor: last === undefined ? null : `${last.attempt}.${last.seq}`,
      };
    })(),
  );
}

export async function listConversation(
  engine: Engine,
  caller: Principal,
  input: PageInput,
): Promise<{ items: ConversationMessage[]; nextCursor: string | null }> {
  const { sql } = engine.database;
  const [seq = 0] = numbers(input.after, 1);
  return reading(
    engine.database,
    (async () => {
      const task = await readableTask(sql, caller, input.id);
      const rows = await conversationAfter(sql, {
        ownerId: caller.ownerId,
        taskId: task.id,
        seq,
        limit: input.limit,
      });
      const items = rows.map((row): ConversationMessage => ({
        id: row.id,
        seq: row.seq,
        attempt: row.attempt,
        role: row.role as ConversationMessage['role'],
        content: row.content,
        toolName: row.toolName,
        toolInput: row.toolInput ?? null,
        isError: row.isError,
        timestamp: row.at.toISOString(),
      }));
      return { items, nextCursor: items.length === 0 ? null : String(items.at(-1)?.seq) };
    })(),
  );
}

function numbers(cursor: string | undefined, count: number): number[] {
  if (cursor === undefined) return [];
  const parts = cursor.split('.');
  if (parts.length === count && parts.every((part) => /^\d{1,9}$/.test(part)))
    return parts.map(Number);
  throw new MakimaError('VALIDATION_FAILED', 'this cursor is not from this list', {
    details: { errors: [{ pointer: '/after', detail: 'use the nextCursor of the page before' }] },
  });
}
