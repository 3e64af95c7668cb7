/**
 * Sweep: waits with a time whose time is over. The waiter learns it once: from the request that it holds, by a
 * message when its turn is over, or from the digest that wakes it.
 */
import { channels } from '@makima/contracts/channels';
import { dueWaits, endWait, seeWait } from '@makima/db/repo/waits';
import { act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { wakeWaiter } from './settle.ts';

export async function expireWaits(engine: Engine, input: { limit: number }): Promise<number> {
  const due = await dueWaits(engine.database.sql, input);
  await eachRow(due, (row) =>
    act(
      engine,
      { caller: { kind: 'system', ownerId: row.ownerId, name: 'due-waits' } },
      async (a) => {
        if (!(await endWait(a.tx, { id: row.id, state: 'timed_out' }))) return;
        a.emit('wait.timed_out', {
          contractId: row.contractId,
          taskId: row.taskId,
          data: { waitId: row.id },
        });
        a.hint(channels.waitDone(row.id));
        if (row.taskId === null) return;
        // Who is told here need not be told at the end of its turn.
        if (await wakeWaiter(a, row.taskId, 'timed_out')) await seeWait(a.tx, { id: row.id });
      },
    ),
  );
  return due.length;
}
