/** Machines of an owner: listed, and revoked. */
import type { Daemon } from '@makima/contracts/entity/daemon';
import { channels } from '@makima/contracts/channels';
import { limitsOf } from '@makima/db/repo/agent-limits';
import { failOperationsOf } from '@makima/db/repo/operations';
import { daemonLoad, daemonsOf, revokeDaemonRow } from '@makima/db/repo/daemons';
import { reading } from '@makima/db/tx';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { notFound, requireOwner, requireReader } from '../authorize.ts';
import { dropPacks, tellFinished } from '../operation/give-up.ts';
import { packFailed } from '../operation/merge-away.ts';
import { completionActed } from '../task/completion-action.ts';
import { presentDaemon } from '../present/key.ts';

export async function listDaemons(engine: Engine, caller: Principal): Promise<{ items: Daemon[] }> {
  requireReader(caller, 'see machines');
  const { sql } = engine.database;
  const [rows, load, limits] = await reading(
    engine.database,
    Promise.all([
      daemonsOf(sql, { ownerId: caller.ownerId }),
      daemonLoad(sql, { ownerId: caller.ownerId }),
      limitsOf(sql, { ownerId: caller.ownerId }),
    ]),
  );
  return {
    items: rows.map((row) => presentDaemon(row, load.get(row.id)?.running ?? 0, limits)),
  };
}

/**
 * Its key dies, its socket is closed, and what was ordered from it fails: it will never report. Its leases run
 * out by themselves.
 */
export function revokeDaemon(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<{ id: string; revoked: true }>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'revoke machines');
    const keys = await revokeDaemonRow(a.tx, { ownerId: a.ownerId, id: input.id });
    if (keys === undefined) throw notFound('daemon', input.id);
    a.audit('daemon.revoke', 'done', { kind: 'daemon', id: input.id });
    await giveUpOperations(a, input.id);
    for (const keyId of keys) a.hint(channels.keyRevoked(), keyId);
    a.hint(channels.daemonWake(input.id));
    return { id: input.id, revoked: true };
  });
}

const revoked = { code: 'NO_DAEMON', message: 'the machine was revoked before it reported' };

/** Clean-up is not among them: what a contract owes at its end knows of revoked machines by itself. */
async function giveUpOperations(a: Act, daemonId: string): Promise<void> {
  const failed = await failOperationsOf(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    except: ['workdir.clean', 'branch.deliver'],
    error: revoked,
  });
  for (const operation of failed) {
    tellFinished(a, operation);
    const merge =
      operation.kind === 'task.pack' ? await packFailed(a, operation, revoked) : operation;
    if (operation.kind === 'branch.merge') await dropPacks(a, operation);
    if (merge !== undefined) await completionActed(a, merge);
  }
}
