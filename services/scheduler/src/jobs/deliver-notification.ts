/**
 * Job `deliver-notification`: what is due to one endpoint is sent to it.
 *
 * Law: the ticket names the endpoint only; what is due stands in the rows, and whoever else speaks to this
 * endpoint already sees it too.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { deliverDue } from '../outbound/deliver.ts';

export function deliverNotification(engine: Engine): JobHandler<'deliver-notification'> {
  return async ({ ownerId, webhookId }, { signal, log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'deliver-notification' };
    await deliverDue(engine, caller, webhookId, { signal, log });
  };
}
