/**
 * Tell an address of events from now on: its choice of types and contracts, and the secret with which it
 * knows that it is us. For ntfy, the token that its server asks for, if any.
 *
 * Law: an answer that holds a secret is never stored, so an idempotency key is of no use here.
 */
import type { z } from 'zod';
import type { WebhookInput, zWebhookWithSecret } from '@makima/contracts/entity/webhook';
import { MakimaError } from '@makima/domain/error';
import { personNeeded } from '@makima/domain/push';
import { findContract } from '@makima/db/repo/contracts';
import { newestPosition } from '@makima/db/repo/events';
import { lockOwnerForNames } from '@makima/db/repo/locks';
import { countWebhooks, findWebhook, insertSecret, insertWebhook } from '@makima/db/repo/webhooks';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { contractNotFound, notFound, requireOwner } from '../authorize.ts';
import { presentWebhook } from '../present/webhook.ts';
import { checkedUrl, hostOf } from './address.ts';
import { mintSecret } from './secret.ts';

export type WithSecret = z.output<typeof zWebhookWithSecret>;

/** @throws VALIDATION_FAILED, LIMIT_EXCEEDED, CONTRACT_NOT_FOUND. */
export function createWebhook(
  engine: Engine,
  call: Call,
  input: WebhookInput,
): Promise<Acted<WithSecret>> {
  return act(engine, { caller: call.caller }, async (a) => {
    requireOwner(a.caller, 'make webhooks');
    const url = checkedUrl(input.url, engine.settings.webhookAllowedHosts);
    checkKind(input);
    await checkContracts(a, input.contractIds);
    await lockOwnerForNames(a.tx, { ownerId: a.ownerId });
    await checkCount(a);
    const row = await insertWebhook(
      a.tx,
      {
        ownerId: a.ownerId,
        kind: input.kind,
        name: input.name ?? hostOf(url),
        url: url.href,
        topic: input.topic ?? null,
        eventTypes: [...new Set(input.eventTypes ?? personNeeded)],
        contractIds: [...new Set(input.contractIds)],
      },
      await newestPosition(a.tx),
    );
    const secret = input.kind === 'webhook' ? mintSecret() : (input.token ?? null);
    if (secret !== null)
      await insertSecret(a.tx, { ownerId: a.ownerId, webhookId: row.id, secret });
    const host = url.host;
    a.emit('webhook.created', {
      contractId: null,
      data: { webhookId: row.id, name: row.name, kind: row.kind, host, events: row.eventTypes },
    });
    a.audit('webhook.create', 'done', { kind: 'webhook', id: row.id }, { host });
    const made = await findWebhook(a.tx, { ownerId: a.ownerId, id: row.id });
    if (made === undefined) throw notFound('webhook', row.id);
    return { webhook: presentWebhook(made), secret: input.kind === 'webhook' ? secret : null };
  });
}

/** What each kind needs and what it cannot have. */
function checkKind({ kind, topic, token }: WebhookInput): void {
  const wrong =
    kind === 'ntfy' && topic === undefined
      ? ['/topic', 'ntfy needs a topic']
      : kind === 'webhook' && topic !== undefined
        ? ['/topic', 'only ntfy has a topic']
        : kind === 'webhook' && token !== undefined
          ? ['/token', 'only ntfy has a token; a webhook is signed with a secret of ours']
          : undefined;
  if (wrong === undefined) return;
  const [pointer, detail] = wrong;
  throw new MakimaError('VALIDATION_FAILED', detail ?? '', {
    details: { errors: [{ pointer, detail }] },
  });
}

/** @throws CONTRACT_NOT_FOUND, for another owner's too. */
export async function checkContracts(a: Act, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    if ((await findContract(a.tx, { ownerId: a.ownerId, id })) === undefined)
      throw contractNotFound(id);
  }
}

async function checkCount(a: Act): Promise<void> {
  const most = a.engine.limits.webhooksPerOwnerMax;
  if ((await countWebhooks(a.tx, { ownerId: a.ownerId })) < most) return;
  throw new MakimaError('LIMIT_EXCEEDED', `there are ${most} webhooks already`, {
    details: { limit: most },
    fix: 'delete one that is not used: makima webhooks list',
  });
}
