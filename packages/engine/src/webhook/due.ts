/** The ticket that has an endpoint looked at when the next of its deliveries is due. */
import { nextDueAt } from '@makima/db/repo/deliveries';
import type { Act } from '../context.ts';

/** One ticket for all that wait, at the moment of the first; none when nothing waits. */
export async function mailDue(a: Act, webhookId: string): Promise<void> {
  const at = await nextDueAt(a.tx, { webhookId });
  if (at === null) return;
  const fence = `${a.now.getTime().toString(36)}-${at.getTime().toString(36)}`;
  const later = at > a.now ? { notBefore: at } : {};
  a.mail('deliver-notification', { webhookId }, { entityId: webhookId, fence, ...later });
}
