/** The document is what the descriptions say: whole, with every reference resolved and every example right. */
import { describe, expect, it } from 'vitest';
import { endpointList, endpoints } from '@makima/contracts/http/all';
import { problemMeanings } from '@makima/contracts/problem-meanings';
import { toProblem } from '@makima/contracts/problem';
import { errorCodes, MakimaError } from '@makima/domain/error';
import { buildOpenApi } from './openapi.ts';
import { examples } from './openapi-examples.ts';

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}
interface Operation {
  operationId: string;
  summary: string;
  description: string;
  security?: unknown[];
  parameters: { name: string; in: string; required: boolean; schema: unknown }[];
  requestBody?: { content: Record<string, { schema: { additionalProperties?: boolean } }> };
  responses: Record<string, { description: string; content: Record<string, { schema: unknown }> }>;
}

const document = buildOpenApi({
  version: '1.2.3',
  publicUrl: 'https://makima.example.com/',
}) as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

describe('openapi.json', () => {
  it('has an operation for every description and nothing else', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = operations.map(({ operation }) => operation.operationId).toSorted();
    expect(ids).toEqual(endpointList.map((endpoint) => endpoint.id).toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes every parameter of every path', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      const described = operation.parameters.filter((p) => p.in === 'path').map((p) => p.name);
      expect(described.toSorted(), operation.operationId).toEqual(named.toSorted());
    }
  });

  it('resolves every reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(references.length).toBeGreaterThan(20);
    for (const reference of new Set(references)) {
      const name = reference.replace('#/components/schemas/', '');
      expect(document.components.schemas[name], reference).toBeDefined();
    }
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('says what refuses unknown keys and what may grow', () => {
    const body =
      document.paths['/api/v1/contracts']?.['post']?.requestBody?.content['application/json'];
    expect(body?.schema.additionalProperties).toBe(false);
    expect(document.components.schemas['ContractDetail']).not.toHaveProperty(
      'additionalProperties',
    );
  });

  it('says of every operation how it fails and who may call it', () => {
    for (const { operation } of operations) {
      expect(operation.description, operation.operationId).toMatch(/^|Needs no key|For /);
      const failures = Object.entries(operation.responses).filter(
        ([status]) => Number(status) >= 400,
      );
      expect(failures.length, operation.operationId).toBeGreaterThan(0);
      for (const [, response] of failures) {
        expect(Object.keys(response.content)).toEqual(['application/problem+json']);
      }
      if (operation.security === undefined) expect(operation.responses['401']).toBeDefined();
    }
    expect(document.paths['/livez']?.['get']?.security).toEqual([]);
  });

  it('has examples that their endpoints accept', () => {
    for (const [id, example] of Object.entries(examples)) {
      const { body } = endpoints[id as keyof typeof endpoints];
      const parsed = body?.safeParse(example);
      expect(parsed?.success, `${id}: ${parsed?.error?.message}`).toBe(true);
    }
  });
});

it('every code has its meaning', () => {
  expect(Object.keys(problemMeanings).toSorted()).toEqual([...errorCodes].toSorted());
});

it('every code has a fix, and that of its thrower goes before', () => {
  for (const code of errorCodes) {
    expect(toProblem(new MakimaError(code, 'no'), 'r').fix, code).toMatch(/^.{4,}\.$/);
    expect(toProblem(new MakimaError(code, 'no', { fix: 'own' }), 'r').fix, code).toBe('own');
  }
});
