/**
 * A JSON Schema as a short text that a person can read in a table.
 *
 * Why: the full schema stands in openapi.json; a page wants `uuid`, `text ≤ 200`, `a | b`, `[int]`.
 * Law: nothing is left out silently: what has no short form is called `any`.
 */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly format?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'any';
  if (schema.const !== undefined) return wordOf(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(wordOf).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return unique(choices.map(typeText)).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map(typeText).join(' & ');
  if (Array.isArray(schema.type)) {
    return unique(schema.type.map((type: string) => typeText({ ...schema, type }))).join(' | ');
  }
  switch (schema.type as string | undefined) {
    case 'string':
      return stringText(schema);
    case 'integer':
      return `int${range(leastInteger(schema), schema.maximum)}`;
    case 'number':
      return `number${range(schema.minimum, schema.maximum)}`;
    case 'boolean':
      return 'yes/no';
    case 'null':
      return 'null';
    case 'array':
      return `[${typeText(schema.items ?? {})}]${range(schema.minItems, schema.maxItems)}`;
    case 'object':
      return objectText(schema);
    case undefined:
    default:
      return 'any';
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The fields of an object: `name`, or `name?` when it may be left out. */
export function fieldsOf(schema: Schema): { name: string; optional: boolean; schema: Schema }[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    optional: !required.has(name),
    schema: field,
  }));
}

function objectText(schema: Schema): string {
  const fields = fieldsOf(schema);
  if (fields.length > 0) {
    const texts = fields.map(
      (field) => `${field.name}${field.optional ? '?' : ''}: ${typeText(field.schema)}`,
    );
    return `{${texts.join(', ')}}`;
  }
  const rest = schema.additionalProperties;
  return typeof rest === 'object' ? `{name: ${typeText(rest)}}` : '{}';
}

function stringText(schema: Schema): string {
  if (schema.format === 'uuid') return 'uuid';
  if (schema.format === 'date-time') return 'time';
  const least = schema.minLength === 1 ? undefined : schema.minLength;
  return `text${range(least, schema.maxLength)}`;
}

function leastInteger({ minimum, exclusiveMinimum }: Schema): number | undefined {
  return minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
}

/** Bounds; the ones that every whole number has are not worth a word. */
function range(min: number | undefined, max: number | undefined): string {
  const low = min === undefined || min === -Number.MAX_SAFE_INTEGER || min === 0 ? undefined : min;
  const high = max === undefined || max === Number.MAX_SAFE_INTEGER ? undefined : max;
  if (low !== undefined && high !== undefined) return ` ${low}..${high}`;
  if (high !== undefined) return ` ≤ ${high}`;
  return low === undefined ? '' : ` ≥ ${low}`;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
