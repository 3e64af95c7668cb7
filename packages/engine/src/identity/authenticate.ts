/**
 * From a token to who it stands for. Wrong, unknown, revoked, expired and outlived tokens are all the
 * same: nobody.
 */
import { isAttemptLive } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { findKey, useKey, type KeyWithBearer } from '@makima/db/repo/keys';
import { reading } from '@makima/db/tx';
import type { Scope } from '@makima/contracts/http/endpoint';
import type { Engine } from '../context.ts';
import type { Person, Principal } from '../principal.ts';
import { hashToken, readToken, sameHash } from './token.ts';

export async function authenticate(engine: Engine, token: string): Promise<Principal | null> {
  const read = readToken(token);
  if (read === undefined) return null;
  const key = await reading(engine.database, findKey(engine.database.sql, { id: read.id }));
  const hash = hashToken(token);
  if (key === undefined || key.kind !== read.kind || !sameHash(key.hash, hash) || !key.live)
    return null;
  const principal = principalOf(key);
  if (principal !== null)
    await reading(engine.database, useKey(engine.database.sql, { id: key.id }));
  return principal;
}

export function unauthenticated(): MakimaError {
  return new MakimaError('UNAUTHENTICATED', 'a valid key is needed', {
    fix: 'send `Authorization: Bearer <key>`; the first start of makima printed the owner’s key',
  });
}

function principalOf(key: KeyWithBearer): Principal | null {
  switch (key.kind) {
    case 'user':
      return key.userId === null ? null : person(key, key.userId);
    case 'daemon':
      if (key.daemonId === null || key.daemonStatus === 'revoked') return null;
      return {
        kind: 'daemon',
        ownerId: key.ownerId,
        daemonId: key.daemonId,
        keyId: key.id,
        name: key.daemonName ?? key.name,
      };
    case 'tool':
      // A tool key lives as long as its attempt, which is the newest: the next epoch's agent has its own.
      if (key.taskId === null || key.attempt === null || key.taskCurrentAttempt !== key.attempt)
        return null;
      if (key.attemptState === null || !isAttemptLive(key.attemptState)) return null;
      return {
        kind: 'agent',
        ownerId: key.ownerId,
        keyId: key.id,
        taskId: key.taskId,
        attempt: key.attempt,
        contractId: key.contractId,
        directiveId: key.taskDirectiveId,
        isSupervisor: key.taskIsSupervisor === true,
        name: key.taskName ?? key.name,
      };
    default:
      return null;
  }
}

function person(key: KeyWithBearer, userId: string): Person {
  return {
    kind: 'person',
    ownerId: key.ownerId,
    userId,
    keyId: key.id,
    name: key.userName ?? key.name,
    role: (key.userRole ?? 'viewer') as Person['role'],
    scopes: key.scopes as Scope[],
  };
}
