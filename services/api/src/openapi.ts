/**
 * The OpenAPI 3.1 document, made from the endpoint descriptions when the process starts.
 *
 * Law: nothing is written here that a description could say; the document cannot differ from the routes.
 */
import { endpointList } from '@makima/contracts/http/all';
import type { Endpoint, Policy } from '@makima/contracts/http/endpoint';
import { problemStatus, zProblem } from '@makima/contracts/problem';
import type { ErrorCode } from '@makima/domain/error';
import { createSchemas, type JsonSchema, type Schemas } from './openapi-schemas.ts';
import { examples } from './openapi-examples.ts';
import { problemType } from './problem.ts';

export type Json = { readonly [key: string]: unknown };

export function buildOpenApi(options: {
  readonly version: string;
  readonly publicUrl?: string | undefined;
}): Json {
  const schemas = createSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpointList) {
    paths[endpoint.path] = {
      ...paths[endpoint.path],
      [endpoint.method.toLowerCase()]: operation(endpoint, schemas),
    };
  }
  const problem = schemas.output(zProblem);
  return {
    openapi: '3.1.0',
    info: {
      title: 'makima',
      version: options.version,
      summary: 'A control plane for fleets of coding agents.',
      description:
        'Errors are problem+json (RFC 9457) with a closed `code`, `retryable`, often a `fix`, and a `requestId` that stands in our log; see [all codes](/reference/problems). Lists page by an opaque cursor. Send an `Idempotency-Key` with whatever takes one: the same key and body have one effect.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.publicUrl?.replace(/\/+$/, '') ?? '/' }],
    security: [{ key: [] }],
    tags: [...new Set(endpointList.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A key of a person (`mk_user_…`), of a daemon (`mk_daemon_…`) or of an agent (`mk_tool_…`).',
        },
      },
      schemas: { ...schemas.components(), Problem: problem },
    },
  };
}

function operation(endpoint: Endpoint, schemas: Schemas): Json {
  const isPublic = 'public' in endpoint.policy;
  return {
    operationId: endpoint.id,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: [endpoint.description, whoMayCall(endpoint.policy)].filter(Boolean).join('\n\n'),
    ...(isPublic ? { security: [] } : {}),
    parameters: parameters(endpoint, schemas),
    ...(endpoint.body === undefined
      ? {}
      : { requestBody: requestBody(endpoint, endpoint.body, schemas) }),
    responses: responses(endpoint, schemas),
  };
}

function whoMayCall(policy: Policy): string {
  if ('public' in policy) return 'Needs no key.';
  const who: string[] = [];
  if (policy.person !== 'none') who.push(`people with the scope \`${policy.person}\``);
  if (policy.tool === 'supervisor') who.push('the supervisor of the contract');
  if (policy.tool === 'lead') who.push('the supervisor of the contract', 'agents of the directive');
  if (policy.tool === 'task') who.push('agents of the contract');
  if (policy.daemon) who.push('daemons');
  return `For ${who.join(', ')}.`;
}

function parameters(endpoint: Endpoint, schemas: Schemas): Json[] {
  const header = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Same key and body: one effect and one answer, for 72 hours.',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  };
  return [
    ...fields(endpoint.params, schemas).map((field) => ({ ...field, in: 'path', required: true })),
    ...fields(endpoint.query, schemas).map((field) => ({ ...field, in: 'query' })),
    ...(endpoint.idempotent === true ? [header] : []),
  ];
}

function fields(
  schema: Endpoint['params'],
  schemas: Schemas,
): { name: string; required: boolean; schema: JsonSchema }[] {
  if (schema === undefined) return [];
  const object = schemas.input(schema);
  const required = new Set(object.required ?? []);
  return Object.entries(object.properties ?? {}).map(([name, field]) => ({
    name,
    required: required.has(name),
    schema: field,
  }));
}

function requestBody(
  endpoint: Endpoint,
  schema: NonNullable<Endpoint['body']>,
  schemas: Schemas,
): Json {
  const example = examples[endpoint.id];
  return {
    required: !schema.safeParse({}).success,
    content: {
      'application/json': {
        schema: schemas.input(schema),
        ...(example === undefined ? {} : { example }),
      },
    },
  };
}

function responses(endpoint: Endpoint, schemas: Schemas): Json {
  const schema = schemas.output(endpoint.response);
  const content: Record<string, unknown> = { 'application/json': { schema } };
  if (endpoint.id === 'listEvents') {
    content['text/event-stream'] = {
      schema: { type: 'string', description: 'Events; each id is a cursor.' },
    };
  }
  const done: Record<string, unknown> = {
    [endpoint.status]: { description: endpoint.summary, content },
  };
  if (endpoint.id === 'createCheckpoint') {
    done['202'] = { description: 'Still at work: `operationId` is the handle', content };
  }
  for (const [status, codes] of failures(endpoint)) {
    done[status] = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return done;
}

/** Its own codes, and those that any route of its kind may answer. */
function failures(endpoint: Endpoint): [number, ErrorCode[]][] {
  const codes = new Set<ErrorCode>([...endpoint.errors, 'MISDIRECTED_REQUEST', 'INTERNAL']);
  if (endpoint.params !== undefined || endpoint.query !== undefined || endpoint.method !== 'GET') {
    codes.add('VALIDATION_FAILED');
  }
  if (endpoint.method !== 'GET') codes.add('PAYLOAD_TOO_LARGE').add('UNSUPPORTED_MEDIA_TYPE');
  if (!('public' in endpoint.policy)) {
    codes.add('UNAUTHENTICATED').add('FORBIDDEN').add('RATE_LIMITED').add('DEPENDENCY_UNAVAILABLE');
  }
  if (endpoint.idempotent === true) codes.add('IDEMPOTENCY_MISMATCH').add('IDEMPOTENCY_IN_FLIGHT');
  const byStatus = Map.groupBy(codes, (code) => problemStatus[code]);
  return [...byStatus].toSorted(([a], [b]) => a - b);
}
