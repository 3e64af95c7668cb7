/**
 * May this credential call this endpoint? One table (each endpoint's `policy`), one function.
 *
 * Law: deny by default. A kind of credential that the policy does not name is refused with 403; which rows
 * it may touch is the verb's question, not this one's.
 */
import { MakimaError } from '@makima/domain/error';
import type { Policy, Scope } from '@makima/contracts/http/endpoint';
import type { Agent, Person, Principal } from '@makima/engine/principal';

export type Refusal =
  | { readonly code: 'FORBIDDEN'; readonly message: string; readonly fix?: string }
  | { readonly code: 'NOT_SUPERVISOR'; readonly message: string; readonly fix?: string };

/** Why not, or undefined when allowed. */
export function refusal(policy: Policy, principal: Principal): Refusal | undefined {
  if ('public' in policy) return undefined;
  switch (principal.kind) {
    case 'person':
      return refusePerson(policy.person, principal);
    case 'agent':
      return refuseAgent(policy.tool, principal);
    case 'daemon':
      return policy.daemon ? undefined : forbidden('a daemon’s key does not open this');
    case 'system':
      return forbidden('the control plane does not call itself by HTTP');
  }
}

/** Throws what `refusal` says. */
export function authorize(policy: Policy, principal: Principal): void {
  const no = refusal(policy, principal);
  if (no === undefined) return;
  throw new MakimaError(no.code, no.message, no.fix === undefined ? {} : { fix: no.fix });
}

/** `owner` includes `write`, `write` includes `read`. */
const rank: Readonly<Record<Scope, number>> = { read: 1, write: 2, owner: 3 };
const roleRank: Readonly<Record<Person['role'], number>> = { viewer: 1, member: 2, owner: 3 };

function refusePerson(needed: Scope | 'none', person: Person): Refusal | undefined {
  if (needed === 'none') {
    return forbidden('only an agent, by its tool key, does this');
  }
  const widest = Math.max(0, ...person.scopes.map((scope) => rank[scope]));
  if (widest < rank[needed]) {
    return forbidden(
      `this key lacks the scope "${needed}"`,
      'use a key with that scope: POST /api/v1/keys',
    );
  }
  if (roleRank[person.role] < rank[needed]) {
    return forbidden(`a ${person.role} may not do this`, 'ask an owner');
  }
  return undefined;
}

function refuseAgent(
  needed: 'none' | 'supervisor' | 'lead' | 'task',
  agent: Agent,
): Refusal | undefined {
  if (needed === 'task' || (needed === 'supervisor' && agent.isSupervisor)) return undefined;
  if (needed === 'lead' && (agent.isSupervisor || agent.directiveId !== null)) return undefined;
  if (needed === 'supervisor') {
    return { code: 'NOT_SUPERVISOR', message: 'only the supervisor of the contract does this' };
  }
  if (needed === 'lead') {
    return {
      code: 'NOT_SUPERVISOR',
      message: 'only the supervisor of a contract or an agent of a directive does this',
    };
  }
  return forbidden('agents may not do this', 'a person does it with their own key');
}

function forbidden(message: string, fix?: string): Refusal {
  return { code: 'FORBIDDEN', message, ...(fix === undefined ? {} : { fix }) };
}
