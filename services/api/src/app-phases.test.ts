/**
 * Leaving a phase: what it owes, evidence that a machine looks at, and the guard that no credential of an
 * agent passes, by HTTP and by tool.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  joinMachine,
  startedContract,
  type TestContract,
  type TestMachine,
} from './testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
let contract: TestContract;
let agent: Client;
beforeAll(async () => {
  api = await startTestApi();
  machine = await joinMachine(api);
});
afterAll(() => api.stop());
beforeEach(async () => {
  contract = await startedContract(api, machine, { contractType: 'simple', phaseGuard: ['plan'] });
  agent = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${contract.supervisorKey}` } };
  await agent.connect(
    new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), { requestInit }),
  );
});
afterEach(() => agent.close());

const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);
const at = (path: string) => `/api/v1/contracts/${contract.detail.id}${path}`;
const byOwner = (method: string, path: string, body?: object) =>
  api.send(method, at(path), { key: api.ownerKey, body });
const byAgent = (method: string, path: string, body?: object) =>
  api.send(method, at(path), { key: contract.supervisorKey, body });

async function tool(name: string, args: object): Promise<any> {
  const result = await agent.callTool({ name, arguments: args as Record<string, unknown> });
  if (result.isError === true) return (result.content as { text: string }[])[0]?.text;
  return result.structuredContent;
}

const word = { evidence: [{ kind: 'word', text: 'it is written' }] };
async function planDone(): Promise<void> {
  const done = await byOwner('POST', '/deliverables/plan-document/complete', word);
  expect(done).toMatchObject({ status: 200, json: { ready: true } });
}

async function openQuestion(): Promise<string> {
  const { json } = await api.send(
    'GET',
    `/api/v1/mesh/questions?contractId=${contract.detail.id}`,
    { key: api.ownerKey },
  );
  return json.items.at(-1)?.id;
}

function answer(id: string, response: string) {
  return api.send('POST', `/api/v1/mesh/questions/${id}/answer`, {
    key: api.ownerKey,
    body: { response },
  });
}

describe('a phase that owes something', () => {
  it('is not left, and what is missing is named', async () => {
    const refused = await byOwner('POST', '/phase', { phase: 'execute', confirmed: true });
    expect(refused).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
    expect(refused.json.details.missing).toMatchObject([{ id: 'plan-document' }]);
    expect(await tool('makima_advance', { phase: 'execute' })).toMatch(
      /^VALIDATION_FAILED: the phase cannot be left yet/,
    );
    expect((await byOwner('GET', '/phase-readiness')).json).toMatchObject({
      phase: 'plan',
      ready: false,
    });
    const astray = await byOwner('POST', '/phase', { phase: 'review', force: true });
    expect(astray).toMatchObject({
      status: 400,
      json: { detail: 'the contract cannot go to that phase' },
    });
    expect(astray.json.fix).toContain('the phase that comes next');
    const wrong = await byAgent('POST', '/deliverables/nonsense/complete', {});
    expect(wrong).toMatchObject({ status: 400, json: { code: 'INVALID_DELIVERABLE' } });
    expect(wrong.json.details.validIds).toContain('plan-document');
  });

  it('takes evidence that a machine has looked at', async () => {
    await machine.commands();
    const evidence = [{ kind: 'command', command: ['npm', 'test'], timeoutSeconds: 60 }];
    const completing = tool('makima_deliverable', { deliverableId: 'plan-document', evidence });
    await held(1);
    const check = (await machine.commands()).find(
      (each) => each.kind === 'evidence.check',
    ) as CommandOf<'evidence.check'>;
    expect(check.command).toEqual(['npm', 'test']);
    await machine.report({
      kind: 'operation.finished',
      operationId: check.operationId,
      ok: true,
      result: {
        kind: 'evidence.check',
        holds: true,
        commitSha: 'c'.repeat(40),
        exitCode: 0,
        output: 'ok',
      },
      error: null,
    });
    expect(await completing).toMatchObject({ stillPending: false, completed: true, ready: true });
    const { json } = await byOwner('GET', '');
    expect(json.deliverables.find((d: { id: string }) => d.id === 'plan-document')).toMatchObject({
      completed: true,
    });
  });

  it('does not take an agent’s word', async () => {
    const refused = await tool('makima_deliverable', { deliverableId: 'plan-document', ...word });
    expect(refused).toMatch(/^VALIDATION_FAILED: [^]*Where: \/evidence\/0: [^]*Next: /);
  });

  it('does not take evidence that does not hold', async () => {
    await machine.commands();
    const body = { evidence: [{ kind: 'file', path: 'PLAN.md' }] };
    const completing = byAgent('POST', '/deliverables/plan-document/complete', body);
    await held(1);
    const check = (await machine.commands()).find(
      (each) => each.kind === 'evidence.check',
    ) as CommandOf<'evidence.check'>;
    await machine.report({
      kind: 'operation.finished',
      operationId: check.operationId,
      ok: true,
      result: { kind: 'evidence.check', holds: false, commitSha: null, exitCode: null, output: '' },
      error: null,
    });
    const refused = await completing;
    expect(refused.status, refused.text).toBe(400);
    expect((await byOwner('GET', '/phase-readiness')).json.ready).toBe(false);
  });
});

describe('a guarded phase', () => {
  it('is not left by an agent, however it asks', async () => {
    await planDone();
    const asked = await byAgent('POST', '/phase', { phase: 'execute' });
    expect(asked).toMatchObject({ status: 409, json: { code: 'PHASE_GUARD_REQUIRED' } });
    const { confirmationId, questionId } = asked.json.details;
    expect(await openQuestion()).toBe(questionId);
    for (const trick of [
      { confirmed: true },
      { confirmationId },
      { confirmed: true, confirmationId, force: true },
    ]) {
      const refused = await byAgent('POST', '/phase', { phase: 'execute', ...trick });
      expect(refused, JSON.stringify(trick)).toMatchObject({
        status: 403,
        json: { code: 'FORBIDDEN' },
      });
    }
    const key = contract.supervisorKey;
    const answered = await api.send('POST', `/api/v1/mesh/questions/${questionId}/answer`, {
      key,
      body: { response: 'Approve' },
    });
    expect(answered.status).toBe(403);
    expect((await byOwner('GET', '')).json.phase).toBe('plan');
  });

  it('is left when a person says so, and the agent that waits for it is told', async () => {
    await planDone();
    const advancing = tool('makima_advance', { phase: 'execute' });
    await held(1);
    expect((await answer(await openQuestion(), 'Approve')).status).toBe(200);
    expect(await advancing).toMatchObject({
      stillPending: false,
      advanced: true,
      phase: 'execute',
      response: 'Approve',
    });
    // Whoever asks for the phase in which the contract is by now is told so, and not refused.
    expect(await tool('makima_advance', { phase: 'execute' })).toMatchObject({
      advanced: true,
      phase: 'execute',
    });
  });

  it('is not left when a person sends it back, and the agent reads why', async () => {
    await planDone();
    const advancing = tool('makima_advance', { phase: 'execute' });
    await held(1);
    await answer(await openQuestion(), 'name the files that change');
    expect(await advancing).toMatchObject({
      stillPending: false,
      advanced: false,
      phase: 'plan',
      response: 'name the files that change',
    });
  });

  it('is left at once by a person who confirms what they saw, and not by one who saw something else', async () => {
    await planDone();
    const { version } = (await byOwner('GET', '')).json;
    const stale = await byOwner('POST', '/phase', {
      phase: 'execute',
      confirmed: true,
      expectedVersion: version - 1,
    });
    expect(stale).toMatchObject({
      status: 409,
      json: {
        code: 'VERSION_CONFLICT',
        details: { expected: version - 1, actual: version, currentPhase: 'plan' },
      },
    });
    const done = await byOwner('POST', '/phase', {
      phase: 'execute',
      confirmed: true,
      expectedVersion: version,
    });
    expect(done).toMatchObject({
      status: 200,
      json: { success: true, previousPhase: 'plan', phase: 'execute' },
    });
  });
});
