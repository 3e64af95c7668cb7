/** The machine that is meant: by its id, the beginning of one, or its name. */
import type { Client } from '@makima/client/client';
import { MakimaError } from '@makima/domain/error';
import { isFullId, matching, theOne } from './find.ts';

const names = {
  id: (daemon: { readonly id: string }) => daemon.id,
  name: (daemon: { readonly name: string }) => daemon.name,
};

export async function daemonId(client: Client, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  const { items } = await client.call('listDaemons');
  const daemon = theOne(matching(items, typed, names), typed, 'machines', names);
  if (daemon !== undefined) return daemon.id;
  throw new MakimaError('NOT_FOUND', `there is no machine '${typed}'`, {
    fix: 'makima daemon list',
  });
}
