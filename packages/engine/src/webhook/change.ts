/** What an owner changes about a webhook: what it is told, where, whether at all, by which secret. */
import type { Webhook, WebhookPatch } from '@makima/contracts/entity/webhook';
import { MakimaError } from '@makima/domain/error';
import { webhookTransitions, type WebhookStatus } from '@makima/domain/webhook';
import { newestPosition } from '@makima/db/repo/events';
import {
  changeWebhook,
  deleteWebhookRow,
  findWebhook,
  insertSecret,
  lockWebhook,
  retireSecrets,
  setWebhookStatus,
} from '@makima/db/repo/webhooks';
import type { WebhookRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requireOwner } from '../authorize.ts';
import { presentWebhook } from '../present/webhook.ts';
import { checkedUrl } from './address.ts';
import { checkContracts, type WithSecret } from './create.ts';
import { mintSecret } from './secret.ts';
import { mailDue } from './due.ts';

/** @throws VERSION_CONFLICT with expected and actual. */
export function patchWebhook(
  engine: Engine,
  call: Call,
  input: WebhookPatch & { readonly id: string },
): Promise<Acted<Webhook>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'change webhooks');
    const row = await locked(a, input.id);
    if (input.expectedVersion !== undefined && input.expectedVersion !== row.version) {
      throw new MakimaError('VERSION_CONFLICT', 'the webhook changed since you read it', {
        details: { expected: input.expectedVersion, actual: row.version },
        fix: 'read it again and decide anew',
      });
    }
    const changed = await writeSettings(a, row, input);
    const status = await writeStatus(a, row, input.enabled);
    if (changed.length > 0 || status !== row.status) {
      const facts = { webhookId: row.id, name: input.name ?? row.name, changed, status };
      a.emit('webhook.changed', { contractId: null, data: facts });
      a.audit('webhook.change', 'done', { kind: 'webhook', id: row.id }, { changed, status });
    }
    return view(a, row.id);
  });
}

async function writeSettings(a: Act, row: WebhookRow, input: WebhookPatch): Promise<string[]> {
  const { name, eventTypes, contractIds } = input;
  if (contractIds !== undefined) await checkContracts(a, contractIds);
  const url =
    input.url === undefined
      ? undefined
      : checkedUrl(input.url, a.engine.settings.webhookAllowedHosts).href;
  const wanted = {
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url }),
    ...(eventTypes === undefined ? {} : { eventTypes: [...new Set<string>(eventTypes)] }),
    ...(contractIds === undefined ? {} : { contractIds: [...new Set(contractIds)] }),
  };
  const set = Object.fromEntries(
    Object.entries(wanted).filter(
      ([field, value]) =>
        JSON.stringify(value) !== JSON.stringify(row[field as keyof typeof wanted]),
    ),
  );
  if (Object.keys(set).length === 0) return [];
  if (!(await changeWebhook(a.tx, { id: row.id, version: row.version, set })))
    throw new MakimaError('CONFLICT', 'the webhook changed meanwhile', { retryable: true });
  return Object.keys(set);
}

/** Brought back it begins now: what it missed is a person's to replay; what waits is tried again. */
async function writeStatus(
  a: Act,
  row: WebhookRow,
  enabled: boolean | undefined,
): Promise<WebhookStatus> {
  if (enabled === undefined) return row.status;
  const to = enabled ? 'active' : 'disabled';
  if (to === row.status || !webhookTransitions[row.status].includes(to)) return row.status;
  const afresh = enabled ? { cursor: await newestPosition(a.tx) } : {};
  const reason = enabled ? null : `disabled by ${a.caller.name}`;
  await setWebhookStatus(a.tx, { id: row.id, from: row.status, to, reason, ...afresh });
  if (enabled) await mailDue(a, row.id);
  return to;
}

/** A new secret signs from now on; the former one signs too until the overlap is over. */
export function rotateWebhookSecret(
  engine: Engine,
  call: Call,
  input: { id: string; overlapSeconds: number },
): Promise<Acted<WithSecret>> {
  return act(engine, { caller: call.caller }, async (a) => {
    requireOwner(a.caller, 'rotate secrets');
    const row = await locked(a, input.id);
    if (row.kind !== 'webhook') {
      throw new MakimaError('CONFLICT', 'nothing is signed for ntfy; its token is its server’s', {
        fix: 'make it anew with another token: makima webhooks create',
      });
    }
    const secret = mintSecret();
    await retireSecrets(a.tx, { webhookId: row.id, overlapSeconds: input.overlapSeconds });
    await insertSecret(a.tx, { ownerId: a.ownerId, webhookId: row.id, secret });
    const facts = { webhookId: row.id, name: row.name, changed: ['secret'], status: row.status };
    a.emit('webhook.changed', { contractId: null, data: facts });
    a.audit('webhook.rotate', 'done', { kind: 'webhook', id: row.id });
    return { webhook: await view(a, row.id), secret };
  });
}

export function deleteWebhook(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<{ id: string; deleted: true }>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'delete webhooks');
    const row = await deleteWebhookRow(a.tx, { ownerId: a.ownerId, id: input.id });
    if (row === undefined) throw notFound('webhook', input.id);
    a.emit('webhook.deleted', {
      contractId: null,
      data: { webhookId: row.id, name: row.name },
    });
    a.audit('webhook.delete', 'done', { kind: 'webhook', id: row.id });
    return { id: row.id, deleted: true };
  });
}

async function locked(a: Act, id: string): Promise<WebhookRow> {
  const row = await lockWebhook(a.tx, { ownerId: a.ownerId, id });
  if (row === undefined) throw notFound('webhook', id);
  return row;
}

async function view(a: Act, id: string): Promise<Webhook> {
  const row = await findWebhook(a.tx, { ownerId: a.ownerId, id });
  if (row === undefined) throw notFound('webhook', id);
  return presentWebhook(row);
}
