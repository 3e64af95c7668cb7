/**
 * zod schemas as JSON Schema 2020-12 for OpenAPI: entities that many answers share stand once under
 * `components` and are referred to.
 *
 * Law: what is sent is described as it is accepted (strict), what is answered as it may grow (open).
 */
import { z } from 'zod';
import * as contract from '@makima/contracts/entity/contract';
import * as daemon from '@makima/contracts/entity/daemon';
import * as event from '@makima/contracts/entity/event';
import * as question from '@makima/contracts/entity/question';
import * as task from '@makima/contracts/entity/task';
import * as why from '@makima/contracts/entity/why';

export interface JsonSchema {
  $ref?: string;
  $schema?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  [key: string]: unknown;
}

export interface Schemas {
  input(schema: z.ZodType): JsonSchema;
  output(schema: z.ZodType): JsonSchema;
  /** Everything that was referred to so far. */
  components(): Record<string, JsonSchema>;
}

export function createSchemas(): Schemas {
  const named = nameEntities();
  const components: Record<string, JsonSchema> = {};
  const convert = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const made = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      metadata: named,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => tidy(jsonSchema as JsonSchema, io),
    }) as JsonSchema;
    const { $schema: _, $defs = {}, ...rest } = made;
    for (const [name, definition] of Object.entries($defs)) components[name] = relocate(definition);
    return relocate(rest);
  };
  return {
    input: (schema) => convert(schema, 'input'),
    output: (schema) => convert(schema, 'output'),
    components: () => components,
  };
}

/** `zTaskDetail` becomes `TaskDetail`. Only answers are named: an input is described where it is sent. */
function nameEntities() {
  const named = z.registry<{ id: string }>();
  for (const [name, value] of Object.entries({
    ...contract,
    ...daemon,
    ...event,
    ...question,
    ...task,
    ...why,
  })) {
    const isEntity = /^z[A-Z]/.test(name) && !/Input$|Patch$|Status$|Attention$/.test(name);
    if (isEntity && value instanceof z.ZodType) named.add(value, { id: name.slice(1) });
  }
  return named;
}

const safeMax = Number.MAX_SAFE_INTEGER;

function tidy(schema: JsonSchema, io: 'input' | 'output'): void {
  // The format says it; the pattern behind it is 200 characters long.
  if (schema.format === 'uuid' || schema.format === 'date-time') delete schema.pattern;
  if (schema.minimum === -safeMax) delete schema.minimum;
  if (schema.maximum === safeMax) delete schema.maximum;
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
}

/** References into `$defs` of one schema become references into the document's components. */
function relocate<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => relocate(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [
      key,
      key === '$ref' && typeof item === 'string'
        ? item.replace('#/$defs/', '#/components/schemas/')
        : relocate(item),
    ]),
  ) as T;
}
