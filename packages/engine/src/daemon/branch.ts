/** What a machine needs to bring its copy of a contract's branch to where the branch stands. */
import { MakimaError } from '@makima/domain/error';
import { lastMoveAt, partsOfMove, placeOfMove, worksFor } from '@makima/db/repo/branch-moves';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

/** Only for a machine that works for the contract. The parts are read by `readPack`. */
export async function readBranch(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { contractId: string; commitSha: string },
): Promise<{ commitSha: string; operationId: string; parts: number }> {
  const { sql } = engine.database;
  const { ownerId, daemonId } = caller;
  const { contractId, commitSha: toSha } = input;
  return reading(
    engine.database,
    (async () => {
      const place = (await worksFor(sql, { ownerId, contractId, daemonId }))
        ? await placeOfMove(sql, { ownerId, contractId, toSha })
        : undefined;
      const move =
        place === undefined ? undefined : await lastMoveAt(sql, { ownerId, contractId, place });
      if (move === undefined)
        throw new MakimaError('NOT_FOUND', 'this machine knows no such branch');
      const { operationId } = move;
      const parts = await partsOfMove(sql, { ownerId, operationId });
      return { commitSha: move.toSha, operationId, parts };
    })(),
  );
}
