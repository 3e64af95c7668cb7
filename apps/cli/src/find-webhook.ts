/** The webhook that is meant: by its id, the beginning of one, or its name. */
import type { Client } from '@makima/client/client';
import type { Webhook } from '@makima/contracts/entity/webhook';
import { MakimaError } from '@makima/domain/error';
import { matching } from './find.ts';
import { usageError } from './print-error.ts';

export async function findWebhook(client: Client, typed: string): Promise<Webhook> {
  const { items } = await client.call('listWebhooks');
  const found = matching(items, typed, { id: (hook) => hook.id, name: (hook) => hook.name });
  if (found.length > 1) {
    const candidates = found.map((hook) => `${hook.id}  ${hook.name}`);
    throw usageError(`'${typed}' may mean ${found.length} webhooks`, 'type more of it', candidates);
  }
  const [hook] = found;
  if (hook) return hook;
  throw new MakimaError('NOT_FOUND', `there is no webhook '${typed}'`, {
    fix: 'makima webhooks list',
  });
}
