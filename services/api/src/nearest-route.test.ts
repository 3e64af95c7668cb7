/** A request that found nothing is told what is there. */
import { describe, expect, it } from 'vitest';
import { noRoute } from './nearest-route.ts';

describe('no route', () => {
  it('names the methods of a path that exists', () => {
    const error = noRoute('PUT', '/api/v1/contracts');
    expect(error.code).toBe('METHOD_NOT_ALLOWED');
    expect(error.details['allow']).toEqual(['POST', 'GET', 'HEAD']);
    expect(error.fix).toBe('use POST or GET or HEAD');
    expect(noRoute('GET', '/mcp').details['allow']).toEqual(['POST']);
  });

  it.each([
    ['GET', '/api/v1/contract', 'GET /api/v1/contracts?'],
    ['POST', '/contracts', 'POST /api/v1/contracts?'],
    ['POST', '/api/v1/contracts/123/phas', 'POST /api/v1/contracts/{id}/phase?'],
    ['POST', '/api/v1/questions/123/answer', 'POST /api/v1/mesh/questions/{id}/answer?'],
    ['GET', '/metric', 'GET /metrics?'],
  ])('%s %s is near %s', (method, path, near) => {
    const error = noRoute(method, path);
    expect(error.code).toBe('NOT_FOUND');
    expect(error.fix).toBe(`did you mean ${near}`);
  });

  it('is quick with a long path', () => {
    expect(noRoute('GET', `/${'a/'.repeat(2_000)}`).code).toBe('NOT_FOUND');
  });
});
