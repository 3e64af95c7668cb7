/** From what people type to the directive or order they mean, as `find.ts` does for contracts and tasks. */
import type { Client } from '@makima/client/client';
import type { Directive, Order } from '@makima/contracts/entity/directive';
import { MakimaError } from '@makima/domain/error';
import { isFullId, matching, theOne } from './find.ts';

/** Both are known by their id or the words of their title. */
const names = {
  id: (thing: { readonly id: string }) => thing.id,
  name: (thing: { readonly title: string }) => thing.title,
};

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

async function every<T>(fetch: (query: { after?: string }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const page = await fetch(after === undefined ? {} : { after });
    all.push(...page.items);
    after = page.nextCursor ?? undefined;
  } while (after !== undefined);
  return all;
}

export function allDirectives(client: Client): Promise<Directive[]> {
  return every((query) => client.call('listDirectives', { query: { limit: 200, ...query } }));
}

export async function directiveId(client: Client, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  const found = matching(await allDirectives(client), typed, names);
  const directive = theOne(found, typed, 'directives', names);
  if (directive !== undefined) return directive.id;
  throw new MakimaError('NOT_FOUND', `there is no directive '${typed}'`, {
    fix: 'makima directives list',
  });
}

/** Open ones first: what is decided is of interest only by its id. */
export async function orderId(client: Client, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  const all = await every<Order>((query) =>
    client.call('listOrders', { query: { limit: 200, ...query } }),
  );
  for (const orders of [all.filter(({ status }) => status === 'open'), all]) {
    const order = theOne(matching(orders, typed, names), typed, 'orders', names);
    if (order !== undefined) return order.id;
  }
  throw new MakimaError('NOT_FOUND', `there is no order '${typed}'`, { fix: 'makima orders list' });
}
