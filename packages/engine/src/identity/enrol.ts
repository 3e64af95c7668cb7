/**
 * How a machine joins: a one-time token made by an owner, traded for the daemon's own key.
 *
 * Law: an answer that holds a secret is never stored, so an idempotency key is of no use here.
 */
import { MakimaError } from '@makima/domain/error';
import {
  daemonNames,
  insertDaemon,
  insertEnrolment,
  insertKey,
  useEnrolment,
} from '@makima/db/repo/keys';
import { newId } from '@makima/db/repo/locks';
import { inTransaction } from '@makima/db/tx';
import { appendEvents } from '@makima/db/repo/events';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { requireOwner } from '../authorize.ts';
import { hashToken, mintToken, readToken } from './token.ts';

export function createEnrolment(
  engine: Engine,
  call: Call,
  input: { name?: string | undefined; expiresInSeconds: number },
): Promise<Acted<{ token: string; expiresAt: string }>> {
  return act(engine, { caller: call.caller }, async (a) => {
    const person = requireOwner(a.caller, 'let machines join');
    const minted = mintToken('join', await newId(a.tx));
    const expiresAt = new Date(a.now.getTime() + input.expiresInSeconds * 1_000);
    await insertEnrolment(a.tx, {
      id: minted.id,
      ownerId: a.ownerId,
      name: input.name ?? null,
      hash: minted.hash,
      createdByKeyId: person.keyId,
      expiresAt,
    });
    a.audit('enrolment.create', 'done', { kind: 'enrolment', id: minted.id });
    return { token: minted.token, expiresAt: expiresAt.toISOString() };
  });
}

/** @throws UNAUTHENTICATED for a token that is wrong, used or too old. */
export async function enrolDaemon(
  engine: Engine,
  input: { token: string; name: string; host: string },
): Promise<{ daemonId: string; key: string }> {
  const read = readToken(input.token);
  const refused = new MakimaError('UNAUTHENTICATED', 'this join token is wrong, used or too old', {
    fix: 'make a new one: makima daemon enrol',
  });
  if (read === undefined || read.kind !== 'join') throw refused;
  return inTransaction(engine.database, async (tx) => {
    const enrolment = await useEnrolment(tx, { id: read.id, hash: hashToken(input.token) });
    if (enrolment === undefined) throw refused;
    const { ownerId } = enrolment;
    const name = freeName(enrolment.name ?? input.name, await daemonNames(tx, { ownerId }));
    const daemon = await insertDaemon(tx, { ownerId, name, host: input.host });
    const minted = mintToken('daemon', await newId(tx));
    await insertKey(tx, {
      id: minted.id,
      ownerId,
      daemonId: daemon.id,
      kind: 'daemon',
      name,
      hash: minted.hash,
      scopes: [],
    });
    await appendEvents(tx, [
      {
        ownerId,
        contractId: null,
        taskId: null,
        type: 'daemon.enrolled',
        actor: { kind: 'daemon', id: daemon.id, name },
        data: { daemonId: daemon.id, name, host: input.host },
      },
    ]);
    return { daemonId: daemon.id, key: minted.token };
  });
}

function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.includes(`${wanted}-${n}`)) return `${wanted}-${n}`;
}
