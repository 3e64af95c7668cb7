/** What a daemon needs of another machine's commits: the parts of the pack that was sent of them. */
import { MakimaError } from '@makima/domain/error';
import { worksFor } from '@makima/db/repo/branch-moves';
import { patchPart } from '@makima/db/repo/checkpoints';
import { findOperation } from '@makima/db/repo/operations';
import { reading } from '@makima/db/tx';
import type { OperationRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

/** One part in base64. */
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
      if (sending === undefined || !(await mayRead(engine, caller, sending)))
        throw new MakimaError('NOT_FOUND', 'this machine was sent no such pack');
      const data = await patchPart(sql, { ownerId, ...input });
      if (data === undefined)
        throw new MakimaError('NOT_FOUND', `the pack has no part ${input.part}`);
      return { data: Buffer.from(data).toString('base64') };
    })(),
  );
}

/** Work that this machine was told to merge, or the branch of a contract that it works for. */
async function mayRead(
  { database: { sql } }: Engine,
  { ownerId, daemonId }: DaemonPrincipal,
  sending: OperationRow,
): Promise<boolean> {
  if (sending.kind === 'branch.merge')
    return (
      sending.contractId !== null &&
      worksFor(sql, { ownerId, contractId: sending.contractId, daemonId })
    );
  const id = sending.request['mergeOperationId'];
  if (sending.kind !== 'task.pack' || typeof id !== 'string') return false;
  return (await findOperation(sql, { ownerId, id }))?.daemonId === daemonId;
}
