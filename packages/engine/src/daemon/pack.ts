/** What a daemon needs to merge another machine's work: the parts of the pack that was sent for it. */
import { MakimaError } from '@makima/domain/error';
import { patchPart } from '@makima/db/repo/checkpoints';
import { findOperation } from '@makima/db/repo/operations';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

/** One part in base64: only for the machine that was told to merge it. */
export async function readPack(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { operationId: string; part: number },
): Promise<{ data: string }> {
  const { sql } = engine.database;
  const { ownerId } = caller;
  return reading(
    engine.database,
    (async () => {
      const sending = await findOperation(sql, { ownerId, id: input.operationId });
      const mergeId = sending?.request['mergeOperationId'];
      const merge =
        sending?.kind === 'task.pack' && typeof mergeId === 'string'
          ? await findOperation(sql, { ownerId, id: mergeId })
          : undefined;
      if (merge?.daemonId !== caller.daemonId)
        throw new MakimaError('NOT_FOUND', 'this machine was sent no such pack');
      const data = await patchPart(sql, { ownerId, ...input });
      if (data === undefined)
        throw new MakimaError('NOT_FOUND', `the pack has no part ${input.part}`);
      return { data: Buffer.from(data).toString('base64') };
    })(),
  );
}
