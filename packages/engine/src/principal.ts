/**
 * Who acts. Made by `identity/authenticate` from a token, by a gateway from a daemon's connection, or by
 * a job for the control plane itself.
 *
 * Law: a verb trusts nothing about its caller but this; an agent is its task, attempt and contract.
 */
import type { Actor } from '@makima/contracts/entity/event';
import type { Scope } from '@makima/contracts/http/endpoint';

export interface Person {
  readonly kind: 'person';
  readonly ownerId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly name: string;
  readonly role: 'owner' | 'member' | 'viewer';
  readonly scopes: readonly Scope[];
}

/** The agent of one attempt of one task; `attempt` is its fence. */
export interface Agent {
  readonly kind: 'agent';
  readonly ownerId: string;
  readonly keyId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly contractId: string | null;
  /** The directive that it works for, or for which its contract was ordered. */
  readonly directiveId: string | null;
  readonly isSupervisor: boolean;
  readonly name: string;
}

export interface DaemonPrincipal {
  readonly kind: 'daemon';
  readonly ownerId: string;
  readonly daemonId: string;
  readonly keyId: string;
  readonly name: string;
}

/** The control plane: jobs and sweeps. `ownerId` bounds what it may touch. */
export interface System {
  readonly kind: 'system';
  readonly ownerId: string;
  /** The job or sweep, for the event's actor. */
  readonly name: string;
}

export type Principal = Person | Agent | DaemonPrincipal | System;

export function actorOf(principal: Principal): Actor {
  switch (principal.kind) {
    case 'person':
      return { kind: 'person', id: principal.userId, name: principal.name };
    case 'agent':
      return { kind: 'agent', id: principal.taskId, name: principal.name };
    case 'daemon':
      return { kind: 'daemon', id: principal.daemonId, name: principal.name };
    case 'system':
      return { kind: 'system', id: null, name: principal.name };
  }
}
