/**
 * Speaks to one endpoint until nothing is due for it: claim, send side by side, record.
 *
 * Law: what was sent is written down before anything else is sent; who dies in between has it sent again.
 * No secret and no address beyond its host reaches a log.
 */
import { randomUUID } from 'node:crypto';
import type { Engine } from '@makima/engine/context';
import type { System } from '@makima/engine/principal';
import {
  claimDeliveries,
  recordTries,
  releaseWebhook,
  type Claim,
  type Outgoing,
  type Tried,
} from '@makima/engine/webhook/deliver';
import type { Log } from '@makima/runtime/log';
import { racepoint } from '@makima/runtime/racepoint';
import { scrub } from '@makima/runtime/redact';
import { post } from './post.ts';
import { signedHeaders } from './sign.ts';

export interface DeliverOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Longest time of one try; shorter in tests. */
  readonly limitMs?: number;
}

const sideBySide = 4;
/** Then another ticket goes on: other endpoints wait for this worker, and a handler has a minute. */
const turnMs = 20_000;

export async function deliverDue(
  engine: Engine,
  caller: System,
  webhookId: string,
  options: DeliverOptions,
): Promise<void> {
  const holder = { webhookId, token: randomUUID() };
  const since = performance.now();
  try {
    while (performance.now() - since < turnMs && !options.signal.aborted) {
      const claim = await claimDeliveries(engine, caller, { ...holder, limit: sideBySide });
      if (claim === null || claim.deliveries.length === 0) break;
      const tries = await Promise.all(
        claim.deliveries.map((outgoing) => tryOne(engine, claim, outgoing, options)),
      );
      await racepoint('webhook.after_send');
      await recordTries(engine, caller, { ...holder, tries });
      tell(claim, tries, { webhookId, log: options.log });
    }
  } finally {
    await releaseWebhook(engine, caller, holder);
  }
}

async function tryOne(
  engine: Engine,
  claim: Claim,
  outgoing: Outgoing,
  { signal, limitMs }: DeliverOptions,
): Promise<Tried> {
  const { deliveryId, attempt, body } = outgoing;
  const posted = await post({
    url: claim.url,
    body,
    headers: headersOf(claim, outgoing),
    allowedHosts: engine.settings.webhookAllowedHosts,
    signal,
    ...(limitMs === undefined ? {} : { limitMs }),
  });
  const { answer, error } = posted;
  return {
    ...posted,
    deliveryId,
    attempt,
    answer: answer === null ? null : storable(answer),
    error: error === null ? null : storable(error),
    interrupted: posted.status === null && signal.aborted,
  };
}

function headersOf(claim: Claim, { messageId, body }: Outgoing): Record<string, string> {
  if (claim.kind === 'webhook')
    return signedHeaders({ messageId, at: claim.at, body }, claim.secrets);
  const [token] = claim.secrets;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Text that any store takes, without what looks like a credential. */
function storable(text: string): string {
  return scrub(text.toWellFormed().replaceAll('\0', '\ufffd'));
}

function tell(
  claim: Claim,
  tries: readonly Tried[],
  { webhookId, log }: { readonly webhookId: string; readonly log: Log },
): void {
  const statuses = tries.map((one) => one.status ?? one.error);
  log.info({ webhookId, host: new URL(claim.url).host, statuses }, 'webhook told');
}
