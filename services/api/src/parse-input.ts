/**
 * From a request to the one flat input of a verb: path, query and body by their strict schemas.
 *
 * Law: every fault is named with a pointer, unknown keys by their name; nothing is parsed twice further in.
 */
import type { z } from 'zod';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { badText, pointerToken } from './plain-value.ts';
import { invalid, type Fault } from './problem.ts';

export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly search: URLSearchParams;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
}

/** The merged input. Throws VALIDATION_FAILED with all faults of all three parts. */
export function parseInput(endpoint: Endpoint, raw: RawInput): Record<string, unknown> {
  const faults: Fault[] = [];
  const params = parsePart(endpoint.params, raw.params, '/path', faults);
  const query = parsePart(endpoint.query, queryObject(raw.search, faults), '/query', faults);
  const body = parsePart(endpoint.body, bodyObject(endpoint, raw.body), '', faults);
  if (faults.length > 0)
    throw invalid(faults, `what ${endpoint.method} ${endpoint.path} takes: GET /reference`);
  return { ...body, ...query, ...params };
}

/** No schema: nothing may be given. */
function parsePart(
  schema: z.ZodType | undefined,
  value: unknown,
  at: string,
  faults: Fault[],
): Record<string, unknown> {
  if (schema === undefined) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const key of Object.keys(value)) faults.push(unknownKey(at, [], key));
    } else faults.push({ pointer: at, detail: 'must be an object' });
    return {};
  }
  const result = schema.safeParse(value, { reportInput: false });
  if (result.success) return result.data as Record<string, unknown>;
  for (const issue of result.error.issues) faults.push(...faultsOf(issue, at));
  return {};
}

function faultsOf(issue: z.core.$ZodIssue, at: string): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(at, issue.path, key));
  }
  // Text of a query that is no number was made one before it was looked at.
  const isNoNumber = issue.code === 'invalid_type' && issue.message.endsWith('received NaN');
  const detail = isNoNumber ? 'must be a number' : issue.message;
  return [{ pointer: at + pointerOf(issue.path), detail }];
}

function unknownKey(at: string, path: readonly PropertyKey[], key: string): Fault {
  return {
    pointer: `${at}${pointerOf(path)}/${pointerToken(key)}`,
    detail: 'is not a key that is known here',
  };
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((token) => `/${pointerToken(token)}`).join('');
}

/** An act that needs nothing may be sent with no body at all. */
function bodyObject(endpoint: Endpoint, body: unknown): unknown {
  if (body !== undefined) return body;
  return endpoint.body === undefined || endpoint.body.safeParse({}).success ? {} : body;
}

/** One value as text, several as a list, which no schema of ours takes by accident. */
function queryObject(search: URLSearchParams, faults: Fault[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    const bad = [name, ...values].map(badText).find((detail) => detail !== undefined);
    if (bad !== undefined) faults.push({ pointer: `/query/${pointerToken(name)}`, detail: bad });
    else if (name === '__proto__') faults.push(unknownKey('/query', [], name));
    else object[name] = values.length === 1 ? values[0] : values;
  }
  return object;
}
