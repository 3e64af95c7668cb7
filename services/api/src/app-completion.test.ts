/**
 * Deliverables, readiness, advancing and completing over the real API: what is asked of contracts from their
 * first phase to their end, each by its name.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinTypes } from '@makima/domain/contract-type';
import { cleanContract } from '@makima/engine/contract/clean';
import { evaluateContract } from '@makima/engine/contract/evaluate';
import { keepHeartbeats } from '@makima/engine/supervisor/heartbeats';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  ended,
  joinMachine,
  startedContract,
  type TestContract,
  type TestMachine,
} from './testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
beforeAll(async () => {
  api = await startTestApi();
  machine = await joinMachine(api);
});
afterAll(() => api.stop());

const at = (of: TestContract, rest = ''): string => `/api/v1/contracts/${of.detail.id}${rest}`;
const send = (method: string, path: string, body?: object, key = api.ownerKey) =>
  api.send(method, path, { key, body });
const get = async (of: TestContract, rest = '') => (await send('GET', at(of, rest))).json;
const live = (input: Record<string, unknown> = {}) =>
  startedContract(api, machine, { phaseGuard: false, ...input });
const word = (of: TestContract, id: string, more: object = {}) =>
  send('POST', at(of, `/deliverables/${id}/complete`), {
    evidence: [{ kind: 'word', text: 'seen' }],
    ...more,
  });
const system = () => ({ kind: 'system', ownerId: api.ownerId, name: 'test' }) as const;
/** The jobs that look at it when something has changed. */
const look = (of: TestContract) =>
  evaluateContract(api.engine, system(), { contractId: of.detail.id });

/** A task of it that runs. */
async function spawnedTask(of: TestContract): Promise<string> {
  const spawn = { name: 'build', plan: 'p', contractId: of.detail.id };
  const spawned = await send('POST', '/api/v1/mesh/supervisor/tasks', spawn, of.supervisorKey);
  await machine.assign();
  return spawned.json.id;
}

/** A task of it that is done. */
async function taskDone(of: TestContract): Promise<string> {
  const id = await spawnedTask(of);
  await machine.report(ended(id, 1, 'built'));
  return id;
}

async function cleanUp(of: TestContract): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await cleanContract(api.engine, system(), { contractId: of.detail.id });
    for (const command of await machine.commands()) {
      if (command.kind === 'task.stop')
        await machine.report(ended(command.taskId, command.attempt, 'stopped'));
      if (command.kind !== 'workdir.clean' && command.kind !== 'branch.deliver') continue;
      const { kind, operationId } = command;
      const delivered = { commitSha: 'd'.repeat(40), baseMoved: false, note: '' };
      const result =
        kind === 'workdir.clean'
          ? { kind, keptRefs: [`refs/makima/kept/${command.taskId}`] }
          : { kind, branch: command.branch, ...delivered };
      await machine.report({
        kind: 'operation.finished',
        operationId,
        ok: true,
        result,
        error: null,
      });
    }
  }
}

describe('Deliverable validation', () => {
  it('leaves out a validator only of the version that somebody saw', async () => {
    const of = await live();
    const blind = await send('PATCH', at(of), { skipValidator: true });
    expect(blind).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
    const { version } = await get(of);
    const seen = await send('PATCH', at(of), { skipValidator: true, expectedVersion: version });
    expect(seen.json).toMatchObject({
      code: 'INVALID_TRANSITION',
      detail: expect.stringContaining('no validator'),
    });
  });

  it('Reject invalid deliverable IDs: API returns 400, naming the valid ones, and nothing counts', async () => {
    const of = await live();
    const before = await get(of);
    for (const [id, phase] of [
      ['nonsense', undefined],
      ['implementation', 'plan'],
      ['plan-document', 'nowhere'],
    ] as const) {
      const refused = await word(of, id, phase === undefined ? {} : { phase });
      expect(refused, id).toMatchObject({ status: 400, json: { code: 'INVALID_DELIVERABLE' } });
      expect(refused.json.details.validIds).toEqual(phase === 'nowhere' ? [] : ['plan-document']);
    }
    expect(await get(of)).toEqual(before);
  });

  it.each(Object.keys(builtinTypes))(
    'Accept valid deliverable IDs for each phase, Correct readiness for each phase: %s',
    async (name) => {
      const type = builtinTypes[name as keyof typeof builtinTypes];
      const of = await live({ contractType: name });
      for (const [n, { name: phase, deliverables }] of type.phases.entries()) {
        const ids = deliverables.map(({ id }) => id);
        const before = await get(of, '/phase-readiness');
        // Response includes all missing items.
        expect(before).toMatchObject({ phase, ready: false, no_gate: false });
        expect(before.missing.map(({ id }: { id: string }) => id)).toEqual(ids);
        for (const id of ids) expect((await word(of, id)).status, id).toBe(200);
        expect(await get(of, '/phase-readiness')).toEqual({
          phase,
          ready: true,
          no_gate: false,
          missing: [],
          auto_advance_enabled: true,
        });
        const next = type.phases[n + 1]?.name;
        if (next === undefined) continue;
        expect((await send('POST', at(of, '/phase'), { phase: next })).json).toMatchObject({
          previousPhase: phase,
          phase: next,
        });
      }
    },
  );
});

describe('Auto-advance', () => {
  it('Auto-advance triggers on gate satisfaction, once', async () => {
    const of = await live();
    await look(of);
    expect((await get(of)).phase).toBe('plan');
    await word(of, 'plan-document');
    await Promise.all([look(of), look(of), look(of)]);
    expect(await get(of)).toMatchObject({ phase: 'execute', status: 'active' });
  });

  it('Phase guard blocks auto-advance: the contract waits for a person', async () => {
    const of = await live({ phaseGuard: true });
    await word(of, 'plan-document');
    await look(of);
    expect(await get(of)).toMatchObject({
      phase: 'plan',
      status: 'waiting_for_input',
      waitingFor: 'phase_confirmation',
    });
  });

  it('off tells the owner and moves nothing', async () => {
    const of = await live({ autoCompleteEnabled: false });
    await word(of, 'plan-document');
    await look(of);
    await look(of);
    expect(await get(of)).toMatchObject({ phase: 'plan', status: 'active' });
    const { items } = (await send('GET', `/api/v1/events?contractId=${of.detail.id}&limit=200`))
      .json;
    const told = items.filter(({ type }: { type: string }) => type === 'contract.ready');
    expect(told.map(({ data }: { data: object }) => data)).toEqual([
      { phase: 'plan', version: expect.any(Number), byItself: false },
    ]);
  });
});

describe('Contract completion', () => {
  it('Full contract auto-completes: Terminal phase triggers completion flow, unmerged work is kept and named', async () => {
    const of = await live();
    await word(of, 'plan-document');
    await look(of);
    const taskId = await taskDone(of);
    await word(of, 'implementation');
    await look(of);
    const completing = await get(of);
    expect(completing.status).toBe('completing');
    expect(completing.completionDetectedAt).not.toBeNull();
    await cleanUp(of);
    const { status, keptRefs } = await get(of);
    expect(status).toBe('completed');
    expect(keptRefs).toContainEqual({
      taskId,
      ref: `refs/makima/kept/${taskId}`,
      why: 'unmerged at clean-up',
    });
  });

  it('Manual completion check, Toggle auto-complete setting, Disable auto-complete per contract', async () => {
    const of = await live();
    const check = async () => (await send('POST', at(of, '/check-completion'), {})).json;
    const early = await check();
    expect(early).toMatchObject({ ready: false, would_complete: false });
    expect(early.missing).toEqual([
      'The contract is in plan, which is not its last phase.',
      'Deliverable plan-document (Plan document) is not complete.',
    ]);
    await word(of, 'plan-document');
    await look(of);
    await word(of, 'implementation');
    expect(await check()).toEqual({ ready: true, would_complete: true, missing: [] });
    for (const enabled of [false, true, false]) {
      const toggled = await send('PUT', at(of, '/auto-complete'), { enabled });
      expect(toggled.json).toMatchObject({ id: of.detail.id, autoCompleteEnabled: enabled });
      expect(await check()).toEqual({ ready: true, would_complete: enabled, missing: [] });
    }
    await look(of);
    expect(await get(of)).toMatchObject({
      autoCompleteEnabled: false,
      waitingFor: 'completion_confirmation',
    });
  });
});

it('Activity updated on each operation: phase change, deliverable, task spawned and completed, message, heartbeat', async () => {
  const of = await live();
  const { sql } = api.engine.database;
  let taskId = '';
  const operations: Record<string, () => Promise<unknown>> = {
    deliverable: () => word(of, 'plan-document'),
    'phase change': () => send('POST', at(of, '/phase'), { phase: 'execute' }),
    'task spawned': async () => {
      taskId = await spawnedTask(of);
    },
    'task completed': () => machine.report(ended(taskId, 1, 'built')),
    heartbeat: () => keepHeartbeats(api.engine, api, [{ taskId: of.supervisorTaskId, attempt: 1 }]),
    message: () =>
      send('POST', `/api/v1/mesh/tasks/${of.supervisorTaskId}/message`, { message: 'Go on' }),
  };
  for (const [name, operation] of Object.entries(operations)) {
    await sql`update contract_activity set last_activity_at = clock() - interval '1 day',
                     last_progress_at = clock() - interval '1 day' where contract_id = ${of.detail.id}`;
    const before = await get(of);
    await operation();
    const after = await get(of);
    expect(Date.parse(after.lastActivityAt), name).toBeGreaterThan(
      Date.parse(before.lastActivityAt),
    );
  }
});

it('Query stale contracts by threshold', async () => {
  const of = await live();
  await api.engine.database.sql`
    update contract_activity set last_progress_at = clock() - interval '40 minutes' where contract_id = ${of.detail.id}`;
  const stale = async (query: string) => {
    const { items } = (await send('GET', `/api/v1/contracts?limit=200&${query}`)).json;
    return items
      .filter(({ id }: { id: string }) => id === of.detail.id)
      .map(({ attention }: { attention: string }) => attention);
  };
  expect(await stale('stale=true')).toEqual(['stale']);
  expect(await stale('stale=true&staleMinutes=30')).toEqual(['stale']);
  expect(await stale('stale=true&staleMinutes=60')).toEqual([]);
  expect(await stale('stale=true&status=active,paused')).toEqual(['stale']);
  expect(await stale('stale=true&status=completed')).toEqual([]);
  const wrong = await send('GET', '/api/v1/contracts?status=active,gone');
  expect(wrong).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
});

describe('Batch over the API', () => {
  it('asks for a confirmation with 428, and is counted', async () => {
    const of = [await live(), await live()];
    for (const one of of) await send('POST', at(one, '/status'), { targetStatus: 'failed' });
    const body = { operation: 'archive_old', older_than_hours: 0, status_filter: ['failed'] };
    const batch = (more: object) => send('POST', '/api/v1/contracts/batch', { ...body, ...more });
    const dry = await batch({ dry_run: true });
    expect(dry).toMatchObject({ status: 200, json: { dry_run: true, errors: [] } });
    const asked = await batch({});
    expect(asked).toMatchObject({ status: 428, json: { code: 'CONFIRMATION_REQUIRED' } });
    expect(asked.json.details.preview).toEqual(dry.json.preview);
    const headers = { 'idempotency-key': 'archive-once' };
    const confirmed = () =>
      api.send('POST', '/api/v1/contracts/batch', {
        key: api.ownerKey,
        body: { ...body, confirm: true },
        headers,
      });
    const done = await confirmed();
    // The same word once more: the same answer, and no operation that is counted.
    expect((await confirmed()).json).toEqual(done.json);
    expect(done.json.affected_ids).toEqual(
      expect.arrayContaining(of.map(({ detail }) => detail.id)),
    );
    for (const one of of) expect((await get(one)).status).toBe('archived');
    const agents = await send('POST', '/api/v1/contracts/batch', body, of[0]?.supervisorKey);
    expect([401, 403]).toContain(agents.status);
    const metrics = await api.api.metrics.text();
    expect(metrics).toMatch(/batch_operations_total\{[^}]*type="archive_old"[^}]*\} 1/);
  });
});
