/**
 * Holding for the result of a git operation that a daemon does. The row stays, whoever gave up waiting.
 *
 * Law: a failed operation is thrown with the code of its row, and is over: the same call would only be told the
 * same, so that what the machine could not reach is no absence of ours. A silent machine is a 504 that names
 * the operation, and a drain asks the caller to look again.
 */
import type { z } from 'zod';
import { channels } from '@makima/contracts/channels';
import type { zOperation } from '@makima/contracts/entity/task';
import { zOperationResult, type OperationResult } from '@makima/contracts/socket/reports';
import { errorCodes, MakimaError, type ErrorCode } from '@makima/domain/error';
import { readOperation } from '@makima/engine/operation/read';
import { keyIdOf } from '../idempotency.ts';
import type { Held } from '../wait.ts';
import type { HoldCaller } from './hold-caller.ts';

export type Operation = z.output<typeof zOperation>;

const rereadMs = 2_000;

export function holdForOperation(hold: HoldCaller, operationId: string): Promise<Held<Operation>> {
  const { api, caller, signal } = hold;
  return api.holds.hold({
    holder: keyIdOf(caller),
    channels: [channels.operationDone(operationId)],
    holdMs: hold.holdMs,
    rereadMs,
    signal,
    read: () => readOperation(api.engine, caller, { id: operationId }),
    isOver: (operation) => operation.state !== 'pending',
    ...hold.beats,
  });
}

/** The result of an operation that must be over now. Throws its failure, or why there is none yet. */
export function resultOf<K extends OperationResult['kind']>(
  held: Held<Operation>,
  kind: K,
): Extract<OperationResult, { kind: K }> {
  const operation = held.value;
  if (operation.state === 'pending') throw notYet(held);
  if (operation.state === 'failed') throw failure(operation);
  const parsed = zOperationResult.safeParse(operation.result);
  if (parsed.success && parsed.data.kind === kind)
    return parsed.data as Extract<OperationResult, { kind: K }>;
  throw new MakimaError(
    'VALIDATION_FAILED',
    `operation ${operation.id} is a ${operation.kind}, not a ${kind}`,
    { fix: 'give the operationId of this tool’s own earlier call' },
  );
}

/** Codes that say of an answer that this server could not give one. */
const ours: ReadonlySet<string> = new Set<ErrorCode>([
  'DEPENDENCY_UNAVAILABLE',
  'IDEMPOTENCY_IN_FLIGHT',
]);

export function failure(operation: Operation): MakimaError {
  const {
    code = 'COMMAND_FAILED',
    message = 'the machine could not do it',
    fix,
    retryable,
    details = {},
  } = operation.error ?? {};
  const known = (errorCodes as readonly string[]).includes(code) && !ours.has(code);
  return new MakimaError(known ? (code as ErrorCode) : 'COMMAND_FAILED', message, {
    details: { ...details, operationId: operation.id, ...(known ? {} : { cause: code }) },
    ...(retryable === undefined ? {} : { retryable }),
    ...(fix === undefined ? (ours.has(code) ? { fix: 'ask for it again' } : {}) : { fix }),
  });
}

function notYet(held: Held<Operation>): MakimaError {
  const details = { operationId: held.value.id };
  const fix = `read its result later: GET /api/v1/mesh/operations/${held.value.id}`;
  if (held.ended === 'draining') {
    return new MakimaError(
      'DEPENDENCY_UNAVAILABLE',
      'this server restarts; the operation goes on',
      {
        retryable: true,
        details,
        fix,
      },
    );
  }
  return new MakimaError('OPERATION_TIMED_OUT', 'the machine has not reported yet', {
    retryable: true,
    details,
    fix,
  });
}
