/**
 * The shape of a rule's answer: yes, or no with a sentence that a person can act on.
 *
 * Law: an expected "no" is a value; a rule never throws. The sentence is plain ASCII, names what is wrong
 * and holds nothing that its reader may not see.
 */

export interface Refusal {
  readonly ok: false;
  readonly reason: string;
}

export type Verdict = { readonly ok: true } | Refusal;

export const yes: Verdict = { ok: true };

export function no(reason: string): Refusal {
  return { ok: false, reason };
}

/** Who causes a change: a person's key, the system itself (sweeps, jobs), or an agent's tool key. */
export type ActorKind = 'person' | 'system' | 'agent';
