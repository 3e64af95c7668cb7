/** Who a key is and what it may. */
import type { Principal } from '../principal.ts';

export interface Identity {
  readonly kind: 'person' | 'agent' | 'daemon';
  readonly name: string;
  readonly ownerId: string;
  readonly scopes: string[];
  readonly contractId: string | null;
  readonly taskId: string | null;
}

export function whoAmI(caller: Principal): Identity {
  const base = { ownerId: caller.ownerId, name: caller.name, contractId: null, taskId: null };
  switch (caller.kind) {
    case 'person':
      return { ...base, kind: 'person', scopes: [...caller.scopes] };
    case 'agent':
      return {
        ...base,
        kind: 'agent',
        scopes: [caller.isSupervisor ? 'supervisor' : 'task'],
        contractId: caller.contractId,
        taskId: caller.taskId,
      };
    case 'daemon':
    case 'system':
      return { ...base, kind: 'daemon', scopes: [] };
  }
}
