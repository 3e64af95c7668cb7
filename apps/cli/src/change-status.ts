/**
 * Changes a contract's status for `pause`, `resume`, `cancel` and the end that a person confirms.
 *
 * Law: what is said is what the contract is then. One that was resumed and still stands says what holds it; one
 * that is being completed is not complete before its clean-up is done and its branch delivered.
 */
import type { Client } from '@makima/client/client';
import type { ContractStatus } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { tellDone } from './act.ts';
import { contractId } from './find.ts';
import { oneLine } from './plain.ts';
import type { Shell } from './shell.ts';

export interface StatusChange {
  readonly typed: string;
  readonly to: ContractStatus;
  readonly reason?: string | undefined;
  readonly finishTurnSeconds?: number | undefined;
  /** What happened, as the sentence goes: `paused`. */
  readonly done: string;
}

/** A refusal that came as an answer is thrown like one that came as an error. */
export async function changeStatus(shell: Shell, change: StatusChange): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, change.typed);
  const answer = await client.call('changeStatus', {
    params: { id },
    body: {
      targetStatus: change.to,
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      ...(change.finishTurnSeconds === undefined
        ? {}
        : { finishTurnSeconds: change.finishTurnSeconds }),
    },
  });
  if (!answer.success) {
    throw new MakimaError(
      'INVALID_TRANSITION',
      `${change.typed} cannot be ${change.done}: it is ${answer.previousStatus}`,
      {
        details: answer.rejectionReason === null ? {} : { why: answer.rejectionReason },
        fix: `makima why ${change.typed}`,
      },
    );
  }
  if (answer.newStatus === 'completing') {
    tellDone(shell, { id, ...answer }, `${change.typed} is being completed`);
    if (shell.format !== 'json') shell.say(`  makima watch ${change.typed}`);
    return;
  }
  if (change.to !== 'active') {
    tellDone(shell, { id, ...answer }, `${change.typed} is ${change.done}`);
    return;
  }
  const held = await whatHolds(client, id);
  const again = held === undefined ? change.done : `${change.done}, but stands still`;
  const words = answer.newStatus === 'active' ? again : answer.newStatus.replaceAll('_', ' ');
  tellDone(shell, { id, ...answer, held: held ?? null }, `${change.typed} is ${words}`);
  if (held === undefined || shell.format === 'json') return;
  shell.say(oneLine(held.reason));
  if (held.act !== null) shell.say(`  ${oneLine(held.act)}`);
}

/** Undefined while it moves, or when nobody can say. */
async function whatHolds(client: Client, id: string) {
  const why = await client.call('whyContract', { params: { id } }).catch(() => undefined);
  return why === undefined || why.moving ? undefined : why.blockers[0];
}
