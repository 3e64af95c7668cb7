/**
 * Inputs that an endpoint must refuse, made from its own schemas: each required field missing, each field
 * of a wrong type, too long, with a NUL, an unknown key, keys of the prototype, too deep, not an object.
 *
 * Law: made from the description alone, so that a new endpoint is covered without a line here.
 */
import { randomUUID } from 'node:crypto';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { createSchemas, type JsonSchema } from '../openapi-schemas.ts';
import { examples } from '../openapi-examples.ts';

export interface BadRequest {
  readonly why: string;
  readonly path: string;
  readonly raw?: string | undefined;
  /** A pointer that the answer must name; absent where the whole is at fault. */
  readonly pointer?: string | undefined;
}

export function badRequests(endpoint: Endpoint): BadRequest[] {
  const good = goodPath(endpoint);
  return [...badParams(endpoint), ...badQueries(endpoint, good), ...badBodies(endpoint, good)];
}

function goodPath(endpoint: Endpoint): string {
  return endpoint.path.replaceAll(/\{\w+\}/g, () => randomUUID());
}

const nastyIds = [
  'x',
  '0',
  '-1',
  'null',
  'undefined',
  `${randomUUID()}x`,
  "'%20or%201=1--",
  '%3Cscript%3E',
  '$%7Bjndi%7D',
  'constructor',
  '__proto__',
  'a'.repeat(3_000),
];

function badParams(endpoint: Endpoint): BadRequest[] {
  const ids = schemaOf(endpoint.params).properties ?? {};
  return Object.entries(ids).flatMap(([name, schema]) =>
    nastyIds
      .filter((id) => schema.format === 'uuid' || id.length > 200)
      .map((id) => ({
        why: `path ${name} = ${id.slice(0, 30)}`,
        path: endpoint.path.replaceAll(/\{(\w+)\}/g, (_, other: string) =>
          other === name ? id : randomUUID(),
        ),
        raw: endpoint.body === undefined ? undefined : JSON.stringify(bodyOf(endpoint)),
        pointer: `/path/${name}`,
      })),
  );
}

function badQueries(endpoint: Endpoint, path: string): BadRequest[] {
  const fields = Object.entries(schemaOf(endpoint.query).properties ?? {});
  const raw = endpoint.body === undefined ? undefined : JSON.stringify(bodyOf(endpoint));
  const bad = (query: string, pointer: string): BadRequest => ({
    why: `query ${query.slice(0, 40)}`,
    path: `${path}?${query}`,
    raw,
    pointer,
  });
  return [
    bad('surprise=1', '/query/surprise'),
    bad('__proto__=1', '/query/__proto__'),
    bad('a%00b=1', '/query/ab'),
    ...fields.flatMap(([name, schema]) => [
      bad(`${name}=1&${name}=2`, `/query/${name}`),
      bad(`${name}=a%00b`, `/query/${name}`),
      bad(`${name}=${'9'.repeat(600)}`, `/query/${name}`),
      ...(isNumber(schema)
        ? ['', '%20', 'abc', '-5', '1.5', '1e999', 'NaN', '0x10000'].map((v) =>
            bad(`${name}=${v}`, `/query/${name}`),
          )
        : []),
    ]),
  ].filter((request) => !isHarmless(endpoint, request));
}

/** What a schema accepts after all is no bad input. */
function isHarmless(endpoint: Endpoint, request: BadRequest): boolean {
  const search = new URL(request.path, 'http://x').searchParams;
  const values: Record<string, unknown> = Object.fromEntries(search);
  const doubled = [...new Set(search.keys())].some((name) => search.getAll(name).length > 1);
  const hasNul = [...search].flat().some((text) => text.includes('\0'));
  return !doubled && !hasNul && endpoint.query?.safeParse(values).success === true;
}

function badBodies(endpoint: Endpoint, path: string): BadRequest[] {
  if (endpoint.method === 'GET') return [];
  const body = bodyOf(endpoint);
  const text = JSON.stringify(body);
  const inner = text.slice(1, -1);
  const comma = inner === '' ? '' : ',';
  const whole = (why: string, raw: string, pointer?: string): BadRequest => ({
    why: `body ${why}`,
    path,
    raw,
    pointer,
  });
  return [
    ...['null', '[]', '"text"', '1', 'true', '[{}]'].map((raw) => whole(raw, raw)),
    ...[
      '{',
      '{"a":',
      '{]',
      'NaN',
      "{'a':1}",
      '{"a":1,}',
      '\ufeff',
      '{"a":"\u0001"}',
      text.slice(0, -1),
    ].map((raw) => whole(`not JSON: ${raw.slice(0, 20)}`, raw)),
    whole('unknown key', `{${inner}${comma}"surprise":1}`, '/surprise'),
    ...['owner_id', 'ownerId', 'status', 'version', 'generation', 'approved_by'].map((key) =>
      whole(`foreign key ${key}`, `{${inner}${comma}"${key}":"x"}`, `/${key}`),
    ),
    whole('__proto__', `{${inner}${comma}"__proto__":{"polluted":true}}`, '/__proto__'),
    whole(
      'constructor',
      `{${inner}${comma}"constructor":{"prototype":{"polluted":true}}}`,
      '/constructor',
    ),
    whole('deep array', `{${inner}${comma}"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    whole('deep object', '{"a":'.repeat(100_000)),
    whole('many members', `{${inner}${comma}"x":[${'1,'.repeat(20_000)}1]}`),
    whole('a NUL key', `{${inner}${comma}"a\\u0000b":1}`),
    ...Object.entries(schemaOf(endpoint.body).properties ?? {}).flatMap(([name, schema]) =>
      badField(endpoint, path, { name, schema, body }),
    ),
  ];
}

interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly body: Record<string, unknown>;
}

function badField(endpoint: Endpoint, path: string, field: Field): BadRequest[] {
  const { name, schema, body } = field;
  const wrong: unknown[] = [
    { a: 1 },
    [[1]],
    1e308,
    -1.5,
    'x'.repeat(300_000),
    'a\0b',
    '\ud800',
    '',
    true,
    null,
  ];
  const changed = wrong.map((value) => ({ ...body, [name]: value }));
  const missing = { ...body };
  delete missing[name];
  const long =
    typeof schema.maxLength === 'number'
      ? [{ ...body, [name]: 'x'.repeat(schema.maxLength + 1) }]
      : [];
  return [missing, ...changed, ...long]
    .filter((value) => isOdd(value[name]) || endpoint.body?.safeParse(value).success === false)
    .map((value) => ({
      why: `body ${name} = ${JSON.stringify(value[name])?.slice(0, 30) ?? 'missing'}`,
      path,
      raw: JSON.stringify(value),
      // A rule over several fields speaks of the whole.
      pointer: name in value ? `/${name}` : undefined,
    }));
}

function isOdd(value: unknown): boolean {
  return typeof value === 'string' && (value.includes('\0') || !value.isWellFormed());
}

function bodyOf(endpoint: Endpoint): Record<string, unknown> {
  return (examples[endpoint.id] ?? {}) as Record<string, unknown>;
}

function schemaOf(schema: Endpoint['body']): JsonSchema {
  return schema === undefined ? {} : createSchemas().input(schema);
}

function isNumber(schema: JsonSchema): boolean {
  return schema.type === 'integer' || schema.type === 'number';
}
