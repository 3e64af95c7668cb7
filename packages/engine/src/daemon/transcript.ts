/** What a daemon needs to rebuild a conversation elsewhere: the lines of its transcript. */
import { MakimaError } from '@makima/domain/error';
import { findAttempt } from '@makima/db/repo/attempts';
import { transcriptFrom } from '@makima/db/repo/talk';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

const batches = 50;
const answerBytes = 500_000;

/** Lines from `fromSeq` on, as many as fit an answer; `nextSeq` when there are more. */
export async function readTranscript(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { taskId: string; attempt: number; fromSeq: number },
): Promise<{ lines: string[]; nextSeq: number | null }> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      await requireOwnAttempt(engine, caller, input);
      const rows = await transcriptFrom(sql, {
        ownerId: caller.ownerId,
        taskId: input.taskId,
        seq: input.fromSeq,
        limit: batches,
      });
      const lines: string[] = [];
      let next = input.fromSeq;
      let bytes = 0;
      for (const row of rows) {
        for (const line of row.lines.slice(Math.max(0, next - row.seq))) {
          if (lines.length > 0 && bytes + line.length > answerBytes)
            return { lines, nextSeq: next };
          lines.push(line);
          bytes += line.length;
          next += 1;
        }
      }
      return { lines, nextSeq: rows.length === batches ? next : null };
    })(),
  );
}

/** A daemon reads only of what it was given to run. */
export async function requireOwnAttempt(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { taskId: string; attempt: number },
): Promise<void> {
  const attempt = await findAttempt(engine.database.sql, input);
  if (
    attempt === undefined ||
    attempt.daemonId !== caller.daemonId ||
    attempt.ownerId !== caller.ownerId
  ) {
    throw new MakimaError('NOT_FOUND', 'this attempt is not on this daemon');
  }
}
