/**
 * Job `clean-contract`: bring the agents of a contract that is over to an end and keep what they made.
 *
 * Law: goes one step further each time it is delivered; what is still under way asks for it again.
 */
import type { JobHandler } from '@makima/bus/delivery';
import { cleanContract as clean } from '@makima/engine/contract/clean';
import type { Engine } from '@makima/engine/context';

export function cleanContract(engine: Engine): JobHandler<'clean-contract'> {
  return async ({ ownerId, contractId }, { log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'clean-contract' };
    const { result } = await clean(engine, caller, { contractId });
    if (result !== 'nothing') log.info({ contractId, outcome: result }, 'contract cleaned');
  };
}
