/** `http.md`: every endpoint on one page; `openapi.json`: the same in full, for programs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildOpenApi } from '@makima/api/openapi';
import { createSchemas } from '@makima/api/openapi-schemas';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { root } from '../checkout.ts';
import { endpoints } from '../endpoints.ts';
import { code, codes, page, table } from '../markdown.ts';
import { fieldsOf, typeText, type Schema } from '../type-text.ts';
import { whoMayCall } from '../who-may-call.ts';

export function openApiPage(): string {
  const manifest = readFileSync(join(root, 'services/api/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const { paths, components, tags, ...rest } = buildOpenApi({ version }) as unknown as OpenApi;
  const inOrder = {
    ...rest,
    tags: tags.toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
    paths: sortedByKey(
      Object.fromEntries(
        Object.entries(paths).map(([path, operations]) => [path, sortedByKey(operations)]),
      ),
    ),
    components: { ...components, schemas: sortedByKey(components.schemas) },
  };
  return `${JSON.stringify(inOrder, null, 2)}\n`;
}

interface OpenApi {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

function sortedByKey<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).toSorted(([a], [b]) => a.localeCompare(b, 'en')),
  );
}

export function httpPage(): string {
  const tags = [...new Set(endpoints.map((endpoint) => endpoint.tag))];
  return page(
    'HTTP API',
    ['packages/contracts/src/http/'],
    [
      intro,
      table(
        ['method', 'path', 'what', 'who'],
        endpoints.map((endpoint) => [
          endpoint.method,
          `[${code(endpoint.path)}](#${endpoint.id.toLowerCase()})`,
          endpoint.summary,
          whoMayCall(endpoint.policy),
        ]),
      ),
      ...tags.flatMap((tag) => [
        `## ${tag}`,
        ...endpoints
          .filter((endpoint) => endpoint.tag === tag)
          .map((endpoint) => describe(endpoint)),
      ]),
    ],
  );
}

const intro = `Full schemas: \`openapi.json\` beside this page, served at \`/openapi.json\` and drawn at \`/reference\`. A key travels as \`Authorization: Bearer <key>\`. An error is problem+json (RFC 9457) with a closed \`code\`, see \`problems.md\`. Beside its own codes an endpoint may answer \`UNAUTHENTICATED\`, \`FORBIDDEN\`, \`VALIDATION_FAILED\`, \`RATE_LIMITED\`, \`DEPENDENCY_UNAVAILABLE\`, \`MISDIRECTED_REQUEST\` and \`INTERNAL\`; one with a body also \`PAYLOAD_TOO_LARGE\` and \`UNSUPPORTED_MEDIA_TYPE\`. \`key\` in the last line of an endpoint: it honours \`Idempotency-Key\`. \`name?\` may be left out; \`= x\` is what counts then.

Beside these there are \`/mcp\` (the same acts as tools for agents, see \`tools.md\`), \`/metrics\`, \`/reference\` and \`/admin/queues\` (owners, in a browser).`;

function describe(endpoint: Endpoint): string {
  const lines = [
    `### ${endpoint.id}`,
    '',
    `\`${endpoint.method} ${endpoint.path}\`: ${endpoint.summary}.`,
    ...(endpoint.description === undefined ? [] : [endpoint.description]),
    '',
    ...inputs(endpoint),
    `- answers ${endpoint.status}: ${answer(endpoint)}`,
    `- who: ${whoMayCall(endpoint.policy)}${endpoint.idempotent === true ? '; key' : ''}`,
    ...(endpoint.errors.length === 0 ? [] : [`- errors: ${codes(endpoint.errors)}`]),
  ];
  return lines.join('\n');
}

function inputs(endpoint: Endpoint): string[] {
  const schemas = createSchemas();
  const part = (name: string, schema: Endpoint['query']): string[] => {
    if (schema === undefined) return [];
    const fields = fieldsOf(schemas.input(schema) as Schema);
    const told = fields.map((field) => {
      const fallback = field.schema.default;
      const type = typeText(field.schema);
      const given = fallback === undefined ? '' : ` = ${JSON.stringify(fallback)}`;
      return code(`${field.name}${field.optional ? '?' : ''}: ${type}${given}`);
    });
    return told.length === 0 ? [] : [`- ${name}: ${told.join(', ')}`];
  };
  return [...part('query', endpoint.query), ...part('body', endpoint.body)];
}

/** The name of an entity that stands in openapi.json, or its fields. */
function answer(endpoint: Endpoint): string {
  const schemas = createSchemas();
  const schema = schemas.output(endpoint.response) as Schema;
  if (schema.$ref !== undefined) return code(typeText(schema));
  return code(
    `{${fieldsOf(schema)
      .map(({ name, schema: field }) => `${name}: ${shortType(field)}`)
      .join(', ')}}`,
  );
}

/** Types of answers: names of entities in full, everything nested as what it is. */
function shortType(schema: Schema): string {
  const text = typeText(schema);
  if (text.length <= 60) return text;
  if (schema.enum !== undefined) return `one of ${schema.enum.length} words`;
  return schema.type === 'array' ? '[…]' : '{…}';
}
