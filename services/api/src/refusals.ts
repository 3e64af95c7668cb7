/**
 * A credential that is refused leaves a trace in the audit and a figure in the metrics.
 *
 * Law: the refusal does not wait for its note, and is not undone when the note cannot be written.
 */
import type { Policy } from '@makima/contracts/http/endpoint';
import { MakimaError } from '@makima/domain/error';
import { noteRefusal, type RefusedAct } from '@makima/engine/identity/note-refusal';
import type { Principal } from '@makima/engine/principal';
import type { Api } from './context.ts';
import { refusal } from './policy.ts';

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
  noteRefusal(api.engine, caller, refused).catch((error: unknown) => {
    api.log.warn({ err: error, ...refused }, 'a refusal could not be noted');
  });
}
