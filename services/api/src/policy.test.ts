/** Every credential against every kind of policy: what is not named is refused. */
import { describe, expect, it } from 'vitest';
import type { Policy, Scope } from '@makima/contracts/http/endpoint';
import type { Agent, Person, Principal } from '@makima/engine/principal';
import { refusal } from './policy.ts';

const base = { ownerId: 'o', keyId: 'k', name: 'n' };
const person = (role: Person['role'], ...scopes: Scope[]): Person => ({
  ...base,
  kind: 'person',
  userId: 'u',
  role,
  scopes,
});
const agent = (isSupervisor: boolean): Agent => ({
  ...base,
  kind: 'agent',
  taskId: 't',
  attempt: 1,
  contractId: 'c',
  directiveId: null,
  isSupervisor,
});
const ofDirective: Agent = { ...agent(false), contractId: null, directiveId: 'd' };
const daemon: Principal = { ...base, kind: 'daemon', daemonId: 'd' };
const system: Principal = { kind: 'system', ownerId: 'o', name: 'sweep' };

const closed: Policy = { person: 'none', tool: 'none', daemon: false };

describe('policy', () => {
  it('lets nobody through that it does not name', () => {
    for (const each of [
      person('owner', 'owner'),
      agent(true),
      agent(false),
      ofDirective,
      daemon,
      system,
    ]) {
      expect(refusal(closed, each)).toBeDefined();
    }
  });

  it('ranks scopes and roles', () => {
    const needs = (scope: Scope): Policy => ({ ...closed, person: scope });
    expect(refusal(needs('read'), person('viewer', 'read'))).toBeUndefined();
    expect(refusal(needs('read'), person('owner', 'owner'))).toBeUndefined();
    expect(refusal(needs('write'), person('member', 'read', 'write'))).toBeUndefined();
    expect(refusal(needs('write'), person('viewer', 'write'))?.message).toMatch(/viewer/);
    expect(refusal(needs('write'), person('owner', 'read'))?.message).toMatch(/scope "write"/);
    expect(refusal(needs('owner'), person('member', 'owner'))?.message).toMatch(/member/);
    expect(refusal(needs('owner'), person('owner', 'write'))?.message).toMatch(/scope "owner"/);
    expect(refusal(needs('read'), person('owner'))).toBeDefined();
  });

  it('tells a task’s agent from a supervisor', () => {
    const supervisors: Policy = { ...closed, tool: 'supervisor' };
    expect(refusal(supervisors, agent(true))).toBeUndefined();
    expect(refusal(supervisors, agent(false))?.code).toBe('NOT_SUPERVISOR');
    expect(refusal({ ...closed, tool: 'task' }, agent(false))).toBeUndefined();
  });

  it('tells an agent of a directive from both', () => {
    const leads: Policy = { ...closed, tool: 'lead' };
    expect(refusal(leads, agent(true))).toBeUndefined();
    expect(refusal(leads, ofDirective)).toBeUndefined();
    expect(refusal(leads, agent(false))?.code).toBe('NOT_SUPERVISOR');
    expect(refusal({ ...closed, tool: 'supervisor' }, ofDirective)?.code).toBe('NOT_SUPERVISOR');
    expect(refusal({ ...closed, tool: 'task' }, ofDirective)).toBeUndefined();
  });

  it('opens to daemons only what says so', () => {
    expect(refusal({ ...closed, daemon: true }, daemon)).toBeUndefined();
    expect(refusal({ person: 'read', tool: 'task', daemon: false }, daemon)).toBeDefined();
    expect(refusal({ public: true }, daemon)).toBeUndefined();
  });
});
