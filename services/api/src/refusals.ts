/**
 * A credential that is refused leaves a trace in the audit and a figure in the metrics.
 *
 * Law: the refusal does not wait for its note, and is not undone when the note cannot be written. The same
 * credential at the same door is noted once a minute: whoever knocks on and on fills no table.
 */
import type { Policy } from '@makima/contracts/http/endpoint';
import { MakimaError } from '@makima/domain/error';
import { noteRefusal, type RefusedAct } from '@makima/engine/identity/note-refusal';
import type { Principal } from '@makima/engine/principal';
import type { Api } from './context.ts';
import { keyIdOf } from './idempotency.ts';
import { refusal } from './policy.ts';

const notedForMs = 60_000;
const notedMost = 10_000;
/** When each credential was last noted at each door. */
const noted = new WeakMap<Api['rates'], Map<string, number>>();

export interface Asked {
  readonly policy: Policy;
  /** The endpoint or tool. */
  readonly action: string;
}

/** Throws FORBIDDEN or NOT_SUPERVISOR when the policy does not allow it. */
export function authorizeNoted(api: Api, caller: Principal, asked: Asked): void {
  const no = refusal(asked.policy, caller);
  if (no === undefined) return;
  note(api, caller, { action: asked.action, reason: no.message });
  throw new MakimaError(no.code, no.message, no.fix === undefined ? {} : { fix: no.fix });
}

export function note(api: Api, caller: Principal, refused: RefusedAct): void {
  api.metrics
    .counter({
      name: 'makima_http_refusals_total',
      help: 'Calls refused by policy, by kind of credential.',
      labels: ['kind'],
    })
    .inc({ kind: caller.kind });
  if (!isNew(api, `${keyIdOf(caller)} ${refused.action}`)) return;
  noteRefusal(api.engine, caller, refused).catch((error: unknown) => {
    api.log.warn({ err: error, ...refused }, 'a refusal could not be noted');
  });
}

function isNew(api: Api, what: string): boolean {
  const now = performance.now();
  const seen = noted.get(api.rates) ?? new Map<string, number>();
  noted.set(api.rates, seen);
  const last = seen.get(what);
  if (last !== undefined && now - last < notedForMs) return false;
  if (seen.size >= notedMost)
    for (const [key, at] of seen) if (now - at >= notedForMs) seen.delete(key);
  if (seen.size >= notedMost) return false;
  seen.set(what, now);
  return true;
}
