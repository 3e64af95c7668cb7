/**
 * A key for a person or script: scoped, and its secret shown this once.
 *
 * Law: an answer that holds a secret is never stored, so an idempotency key is of no use here.
 */
import type { KeyInfo } from '../present/key.ts';
import { insertKey } from '@makima/db/repo/keys';
import { newId } from '@makima/db/repo/locks';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { requireOwner } from '../authorize.ts';
import { presentKey } from '../present/key.ts';
import { mintToken } from './token.ts';

export interface NewKeyInput {
  readonly name: string;
  readonly scopes: readonly ('read' | 'write' | 'owner')[];
  readonly expiresInDays?: number | undefined;
}

export function createKey(
  engine: Engine,
  call: Call,
  input: NewKeyInput,
): Promise<Acted<{ key: string; info: KeyInfo }>> {
  return act(engine, { caller: call.caller }, async (a) => {
    const person = requireOwner(a.caller, 'make keys');
    const minted = mintToken('user', await newId(a.tx));
    const row = await insertKey(a.tx, {
      id: minted.id,
      ownerId: a.ownerId,
      userId: person.userId,
      kind: 'user',
      name: input.name,
      hash: minted.hash,
      scopes: [...new Set(input.scopes)],
      expiresAt:
        input.expiresInDays === undefined
          ? null
          : new Date(a.now.getTime() + input.expiresInDays * 86_400_000),
    });
    a.emit('key.created', {
      contractId: null,
      data: { keyId: row.id, name: row.name, scopes: row.scopes },
    });
    a.audit('key.create', 'done', { kind: 'key', id: row.id }, { scopes: row.scopes });
    return { key: minted.token, info: presentKey(row) };
  });
}
