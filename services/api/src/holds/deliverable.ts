/**
 * Completing a deliverable whose evidence a machine has to look at first: ask, hold for the checks, settle.
 *
 * Law: the verb decides both times; here is only the waiting between.
 */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { Endpoints } from '@makima/contracts/http/all';
import type { Call } from '@makima/engine/context';
import {
  completeDeliverable,
  settleDeliverable,
} from '@makima/engine/contract/complete-deliverable';
import { holdForOperation } from './operation.ts';
import type { InputOf } from '../mount.ts';
import type { HoldCaller } from './hold-caller.ts';

export type DeliverableDone = ResponseOf<Endpoints['completeDeliverable']>;

export type DeliverableOutcome =
  | { readonly state: 'done'; readonly done: DeliverableDone; readonly replayed: boolean }
  /** The checks are not over; go on with these ids. */
  | {
      readonly state: 'checking';
      readonly operationIds: readonly string[];
      readonly draining: boolean;
    };

export interface DeliverableRequest {
  readonly input: InputOf<Endpoints['completeDeliverable']>;
  /** Checks that an earlier request began. */
  readonly operationIds?: readonly string[] | undefined;
}

export async function holdForDeliverable(
  hold: HoldCaller,
  call: Call,
  request: DeliverableRequest,
): Promise<DeliverableOutcome> {
  const { engine } = hold.api;
  let operationIds = request.operationIds;
  if (operationIds === undefined) {
    const { result, replayed } = await completeDeliverable(engine, call, request.input);
    if (result.state === 'done') return { state: 'done', done: withoutState(result), replayed };
    operationIds = result.operationIds;
  }
  const until = performance.now() + hold.holdMs;
  for (const id of operationIds) {
    const left = Math.max(0, until - performance.now());
    const held = await holdForOperation({ ...hold, holdMs: left }, id);
    if (held.value.state === 'pending') {
      return { state: 'checking', operationIds, draining: held.ended === 'draining' };
    }
  }
  const settled = await settleDeliverable(
    engine,
    { caller: hold.caller },
    { ...request.input, operationIds },
  );
  return { state: 'done', done: withoutState(settled.result), replayed: false };
}

function withoutState(result: DeliverableDone & { readonly state?: unknown }): DeliverableDone {
  const { deliverable, ready, version } = result;
  return { deliverable, ready, version };
}
