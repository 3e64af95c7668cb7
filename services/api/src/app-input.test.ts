/**
 * Every endpoint with everything that is wrong: a clear 4xx that names the fault, never a 500, and no trace
 * of it left behind.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointList } from '@makima/contracts/http/all';
import { zProblem } from '@makima/contracts/problem';
import { badRequests } from './testing/bad-input.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { joinMachine, startedContract } from './testing/test-house.ts';

let api: TestApi;
let supervisorKey: string;

beforeAll(async () => {
  api = await startTestApi();
  ({ supervisorKey } = await startedContract(api, await joinMachine(api)));
});
afterAll(() => api.stop());

describe.each(endpointList.map((endpoint) => [endpoint.id, endpoint] as const))(
  '%s',
  (_, endpoint) => {
    const { policy, method } = endpoint;
    const keyOf = (): string | undefined => {
      if ('public' in policy) return undefined;
      return policy.person === 'none' ? supervisorKey : api.ownerKey;
    };

    it('names what is wrong', async () => {
      for (const bad of badRequests(endpoint)) {
        const answer = await api.send(method, bad.path, {
          key: keyOf(),
          ...(bad.raw === undefined ? {} : { raw: bad.raw }),
        });
        const about = `${bad.why}: ${answer.status} ${answer.text.slice(0, 300)}`;
        expect([400, 413], about).toContain(answer.status);
        expect(answer.headers['content-type'], about).toBe('application/problem+json');
        const problem = zProblem.parse(answer.json);
        expect(['VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE'], about).toContain(problem.code);
        expect(problem.fix, about).toBeTruthy();
        expect(problem.requestId).toBe(answer.headers['request-id']);
        if (bad.pointer !== undefined && problem.code === 'VALIDATION_FAILED') {
          const pointers = problem.errors?.map((error) => error.pointer) ?? [];
          expect(
            pointers.some((pointer) => pointer.startsWith(bad.pointer ?? '')),
            about,
          ).toBe(true);
        }
      }
    });
  },
);

it('says what to do about it, in words for who typed it', async () => {
  const get = (path: string) => api.send('GET', path, { key: api.ownerKey });
  const odd = await get('/api/v1/contracts?limit=abc');
  expect(odd.json).toMatchObject({
    detail: '/query/limit: must be a number',
    fix: 'what GET /api/v1/contracts takes: GET /reference',
  });
});

it('leaves nothing behind', async () => {
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(api.log.lines.filter((line) => line['level'] === 'error')).toEqual([]);
  expect((await api.send('GET', '/livez')).status).toBe(200);
});
