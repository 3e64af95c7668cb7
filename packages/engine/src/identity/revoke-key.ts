/** Revoke a key; sockets and streams that live on it are told to close. */
import { channels } from '@makima/contracts/channels';
import { MakimaError } from '@makima/domain/error';
import { revokeKeyRow } from '@makima/db/repo/keys';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requireOwner } from '../authorize.ts';
import { presentKey, type KeyInfo } from '../present/key.ts';

export function revokeKey(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<KeyInfo>> {
  return act(engine, call, async (a) => {
    const person = requireOwner(a.caller, 'revoke keys');
    if (person.keyId === input.id) {
      throw new MakimaError('CONFLICT', 'a key cannot revoke itself', {
        fix: 'make another owner key first and use that',
      });
    }
    const row = await revokeKeyRow(a.tx, { ownerId: a.ownerId, id: input.id });
    if (row === undefined) throw notFound('key', input.id);
    a.emit('key.revoked', { contractId: null, data: { keyId: row.id, name: row.name } });
    a.audit('key.revoke', 'done', { kind: 'key', id: row.id });
    a.hint(channels.keyRevoked(), row.id);
    return presentKey(row);
  });
}
