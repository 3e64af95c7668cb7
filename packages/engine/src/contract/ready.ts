/**
 * A phase that may be left, in a contract where nothing advances by itself: it stands in its owner's inbox until
 * somebody moves it on, or it is ready no more.
 *
 * Law: opened and closed where a contract is looked at; closed with its phase and with its end.
 */
import { closeIncident, openIncident } from '@makima/db/repo/incidents';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export const readyKind = 'contract_ready';

export async function standsReady(a: Act, { id: subject, phase }: ContractRow): Promise<void> {
  await openIncident(a.tx, { ownerId: a.ownerId, kind: readyKind, subject, detail: { phase } });
}

export async function standsReadyNoMore(a: Act, { id: subject }: ContractRow): Promise<void> {
  await closeIncident(a.tx, { ownerId: a.ownerId, kind: readyKind, subject });
}
