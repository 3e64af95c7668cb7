/** The key with which a daemon forwards one attempt's tool calls: bound to contract, task and attempt. */
import { insertKey } from '@makima/db/repo/keys';
import { newId } from '@makima/db/repo/locks';
import { isAttemptLive } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { findAttempt } from '@makima/db/repo/attempts';
import { findTask } from '@makima/db/repo/tasks';
import { act, type Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { mintToken } from './token.ts';

/** @throws FENCED when the attempt is not this daemon's live one. */
export async function issueToolKey(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { taskId: string; attempt: number },
): Promise<{ key: string }> {
  const { result } = await act(engine, { caller }, async (a) => {
    const task = await findTask(a.tx, { ownerId: a.ownerId, id: input.taskId });
    const attempt = await findAttempt(a.tx, input);
    const live =
      attempt !== undefined && attempt.daemonId === caller.daemonId && isAttemptLive(attempt.state);
    if (task === undefined || !live || task.currentAttempt !== input.attempt) {
      throw new MakimaError('FENCED', 'this attempt is not live on this daemon');
    }
    const minted = mintToken('tool', await newId(a.tx));
    await insertKey(a.tx, {
      id: minted.id,
      ownerId: a.ownerId,
      kind: 'tool',
      name: `${task.name} a${input.attempt}`,
      hash: minted.hash,
      scopes: task.isSupervisor ? ['supervisor'] : ['task'],
      contractId: task.contractId,
      taskId: task.id,
      attempt: input.attempt,
    });
    return { key: minted.token };
  });
  return result;
}
