/**
 * Who may call an endpoint, in words and as a row of the policy table.
 *
 * Law: the row is asked of the API's own rule (`refusal`), one caller after the other; nothing is repeated here.
 */
import { refusal } from '@makima/api/policy';
import type { Policy, Scope } from '@makima/contracts/http/endpoint';
import type { Agent, Person, Principal } from '@makima/engine/principal';

/** In words, for a list. */
export function whoMayCall(policy: Policy): string {
  if ('public' in policy) return 'anybody';
  const people = policy.person === 'none' ? [] : [`people (${policy.person})`];
  const agents = {
    none: [],
    supervisor: ['the supervisor'],
    lead: ['the supervisor', 'agents of a directive'],
    task: ['agents'],
  }[policy.tool];
  const daemons = policy.daemon ? ['daemons'] : [];
  return [...people, ...agents, ...daemons].join(', ');
}

const id = '00000000-0000-7000-8000-000000000000';

function person(role: Person['role'], ...scopes: Scope[]): Person {
  return { kind: 'person', ownerId: id, userId: id, keyId: id, name: role, role, scopes };
}

function agent(of: 'supervisor' | 'task' | 'directive'): Agent {
  const ids = { ownerId: id, keyId: id, taskId: id };
  const work = of === 'directive' ? [null, id] : [id, null];
  const [contractId = null, directiveId = null] = work;
  const isSupervisor = of === 'supervisor';
  return {
    kind: 'agent',
    ...ids,
    contractId,
    directiveId,
    attempt: 1,
    isSupervisor,
    name: 'agent',
  };
}

/** The callers that the table has a column for. */
export const callers: readonly (readonly [heading: string, caller: Principal])[] = [
  ['person: read', person('viewer', 'read')],
  ['person: write', person('member', 'read', 'write')],
  ['person: owner', person('owner', 'read', 'write', 'owner')],
  ['supervisor', agent('supervisor')],
  ['agent of a directive', agent('directive')],
  ['agent of a task', agent('task')],
  ['daemon', { kind: 'daemon', ownerId: id, daemonId: id, keyId: id, name: 'daemon' }],
];

/** For each caller whether the policy lets it in, in their order. */
export function admitted(policy: Policy): boolean[] {
  return callers.map(([, caller]) => refusal(policy, caller) === undefined);
}
