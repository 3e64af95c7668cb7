// With which key the demo talks to makima: the owner's in a makima of its own, else one for this demo alone.
// Why: a key may ask only so often in a minute; a demo must not eat what the person's own commands need.
// Law: a key that was made here is revoked here, and reads and writes but does not own.
import { createClient, type Client } from '@makima/client/client';
import type { House } from './house.ts';

export interface Visitor {
  readonly client: Client;
  leave(): Promise<void>;
}

export async function visit(house: House): Promise<Visitor> {
  const owner = createClient({ baseUrl: house.url, key: house.ownerKey });
  if (house.own) return { client: owner, leave: async () => {} };
  const { key, info } = await owner.call('createKey', {
    body: { name: `demo ${process.pid}`, scopes: ['read', 'write'], expiresInDays: 1 },
  });
  return {
    client: createClient({ baseUrl: house.url, key }),
    async leave() {
      const signal = AbortSignal.timeout(5_000);
      await owner.call('revokeKey', { params: { id: info.id }, signal }).catch(() => undefined);
    },
  };
}
