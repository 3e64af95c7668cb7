/**
 * A door refused a credential: written to the audit, so that an agent that tries what it may not do is seen.
 *
 * Law: the note is about who tried what; it changes nothing and names nothing that the caller could not name.
 */
import { act, type Engine } from '../context.ts';
import type { Principal } from '../principal.ts';

export interface RefusedAct {
  /** The endpoint or tool that was called. */
  readonly action: string;
  readonly reason: string;
}

export async function noteRefusal(
  engine: Engine,
  caller: Principal,
  refused: RefusedAct,
): Promise<void> {
  if (caller.kind === 'system') return;
  const target =
    caller.kind === 'agent'
      ? { kind: 'task', id: caller.taskId }
      : { kind: 'key', id: caller.keyId };
  await act(engine, { caller }, async (a) => {
    a.audit(refused.action, 'refused', target, { reason: refused.reason });
  });
}
