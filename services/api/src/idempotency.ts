/**
 * Which call this is, so that it has one effect however often it is sent: the header `Idempotency-Key`,
 * or for agents the id of the tool use (header `makima-tool-use`, or `_meta` of an MCP call).
 *
 * Law: a key belongs to whom it was given by: each person's key and each task has a space of its own, so
 * that a stored answer is given to nobody else. An
 * agent's tool use is the same call whatever the attempt, for ever; a person's key is kept for 72 h.
 */
import { createHash } from 'node:crypto';
import type { Call } from '@makima/engine/context';
import type { Principal } from '@makima/engine/principal';
import { invalid } from './problem.ts';

export const idempotencyHeader = 'idempotency-key';
export const toolUseHeader = 'makima-tool-use';

const keyShape = /^[!-~]{1,200}$/;

/** What must be equal for two requests to be the same. */
export interface Fingerprinted {
  readonly act: string;
  readonly input: unknown;
}

/** The call of an HTTP request. Throws VALIDATION_FAILED for a key that is no key. */
export function callOf(
  caller: Principal,
  headers: { readonly get: (name: string) => string | undefined },
  same: Fingerprinted,
): Call {
  const toolUse = caller.kind === 'agent' ? headers.get(toolUseHeader) : undefined;
  if (toolUse !== undefined) return toolCall(caller, toolUse, same);
  const key = headers.get(idempotencyHeader);
  if (key === undefined) return { caller };
  if (!keyShape.test(key)) {
    throw invalid([
      { pointer: `/headers/${idempotencyHeader}`, detail: 'must be 1 to 200 printable characters' },
    ]);
  }
  const space = caller.kind === 'agent' ? `task:${caller.taskId}` : `http:${keyIdOf(caller)}`;
  return {
    caller,
    idempotency: { key: `${space}:${key}`, fingerprint: fingerprint(same), keep: 'days' },
  };
}

/** The call of an agent's tool use. */
export function toolCall(caller: Principal, toolUseId: string, same: Fingerprinted): Call {
  if (!keyShape.test(toolUseId)) {
    throw invalid([
      { pointer: `/headers/${toolUseHeader}`, detail: 'must be 1 to 200 printable characters' },
    ]);
  }
  const space = caller.kind === 'agent' ? `tool:${caller.taskId}` : `mcp:${keyIdOf(caller)}`;
  const keep = caller.kind === 'agent' ? 'forever' : 'days';
  return {
    caller,
    idempotency: { key: `${space}:${toolUseId}`, fingerprint: fingerprint(same), keep },
  };
}

export function keyIdOf(caller: Principal): string {
  return caller.kind === 'system' ? caller.name : caller.keyId;
}

/** sha256 of the act and its input, with keys in order: how a body is written does not count. */
function fingerprint(same: Fingerprinted): string {
  return createHash('sha256')
    .update(`${same.act}\n${JSON.stringify(ordered(same.input)) ?? ''}`)
    .digest('hex');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, ordered(item)]),
  );
}
