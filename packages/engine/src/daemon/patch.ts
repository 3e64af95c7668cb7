/** What a daemon needs to rebuild a directory elsewhere: the parts of a checkpoint's patch. */
import { MakimaError } from '@makima/domain/error';
import { findCheckpoint, patchPart } from '@makima/db/repo/checkpoints';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { requireOwnAttempt } from './transcript.ts';

/** One part, base64 of gzip; `parts` says how many there are. */
export async function readPatch(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { taskId: string; attempt: number; checkpointId: string; part: number },
): Promise<{ data: string; parts: number; baseSha: string }> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      await requireOwnAttempt(engine, caller, input);
      const checkpoint = await findCheckpoint(sql, {
        ownerId: caller.ownerId,
        id: input.checkpointId,
      });
      if (checkpoint?.operationId == null || checkpoint.taskId !== input.taskId)
        throw new MakimaError('NOT_FOUND', 'this task has no such checkpoint');
      const data = await patchPart(sql, {
        ownerId: caller.ownerId,
        operationId: checkpoint.operationId,
        part: input.part,
      });
      if (data === undefined)
        throw new MakimaError('NOT_FOUND', `the patch has no part ${input.part}`);
      return {
        data: Buffer.from(data).toString('base64'),
        parts: checkpoint.patchParts,
        baseSha: checkpoint.baseSha,
      };
    })(),
  );
}
