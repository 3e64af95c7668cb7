/**
 * The life of contracts over the real API: every pair of statuses, a hundred phase changes at once, and the
 * contract that its types, gates and owner let complete.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '@makima/contracts/socket/reports';
import { cleanContract } from '@makima/engine/contract/clean';
import { startTestApi, type Received, type TestApi } from './testing/test-api.ts';
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

const statuses = [
  'created',
  'active',
  'waiting_for_input',
  'paused',
  'blocked',
  'completing',
  'completed',
  'failed',
  'archived',
] as const;
type Status = (typeof statuses)[number];

/** As the surface page says it, written down once more. */
const table: Readonly<Record<Status, readonly Status[]>> = {
  created: ['active', 'failed'],
  active: ['waiting_for_input', 'paused', 'blocked', 'completing', 'failed'],
  waiting_for_input: ['active', 'paused', 'completing', 'failed'],
  paused: ['active', 'failed', 'archived'],
  blocked: ['active', 'failed', 'archived'],
  completing: ['completed', 'active', 'failed'],
  completed: ['archived'],
  failed: ['archived'],
  archived: [],
};

const contractPath = (id: string, rest = ''): string => `/api/v1/contracts/${id}${rest}`;
const post = (id: string, rest: string, body: object, key = api.ownerKey): Promise<Received> =>
  api.send('POST', contractPath(id, rest), { key, body });
const get = async (id: string) =>
  (await api.send('GET', contractPath(id), { key: api.ownerKey })).json;
const set = (id: string, targetStatus: Status) =>
  post(id, '/status', { targetStatus, reason: 'because', blocker: 'the licence server' });
const word = (id: string, deliverableId: string) =>
  post(id, `/deliverables/${deliverableId}/complete`, { evidence: [{ kind: 'word', text: 'ok' }] });

const stopped = (of: { taskId: string; attempt: number }): Report =>
  ({ ...ended(of.taskId, of.attempt, ''), outcome: 'stopped' }) as Report;

/** What it takes for a clean-up: the jobs that look again, and a machine that does what it is told. */
async function cleanUp(id: string): Promise<void> {
  const caller = { kind: 'system', ownerId: api.ownerId, name: 'test' } as const;
  for (let round = 0; round < 4; round += 1) {
    await cleanContract(api.engine, caller, { contractId: id });
    for (const command of await machine.commands()) {
      if (command.kind === 'task.stop') await machine.report(stopped(command));
      if (command.kind === 'workdir.clean' || command.kind === 'branch.deliver')
        await machine.report({
          kind: 'operation.finished',
          operationId: command.operationId,
          ok: true,
          result:
            command.kind === 'workdir.clean'
              ? { kind: command.kind, keptRefs: [] }
              : {
                  kind: command.kind,
                  branch: command.branch,
                  commitSha: 'd'.repeat(40),
                  baseMoved: false,
                  note: '',
                },
          error: null,
        });
    }
  }
}

interface Live extends TestContract {
  readonly id: string;
}
async function live(input: Record<string, unknown> = {}): Promise<Live> {
  const made = await startedContract(api, machine, { phaseGuard: false, ...input });
  return { ...made, id: made.detail.id };
}
/** Active, in its last phase, which owes nothing any more. */
async function ripe(input: Record<string, unknown> = {}): Promise<Live> {
  const of = await live(input);
  await word(of.id, 'plan-document');
  expect((await post(of.id, '/phase', { phase: 'execute' })).status).toBe(200);
  await word(of.id, 'implementation');
  return of;
}
/** A question that its asker waits for, until it is held; then the asker goes away. */
async function ask(of: Live): Promise<void> {
  const gone = new AbortController();
  const asking = api
    .send('POST', '/api/v1/mesh/supervisor/questions', {
      key: of.supervisorKey,
      body: { question: 'Which?' },
      signal: gone.signal,
    })
    .catch(() => undefined);
  const held = (count: number) =>
    expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);
  await held(1);
  gone.abort();
  await asking;
  await held(0);
}

/** A contract of this status, and whatever a person needs to take it on to `to`. */
async function at(from: Status, to?: Status): Promise<Live> {
  switch (from) {
    case 'created': {
      const repositories = [{ localPath: '/nowhere/repository' }];
      const body = { name: 'n', description: 'd', agent: 'scripted', repositories, start: false };
      const made = await api.send('POST', '/api/v1/contracts', { key: api.ownerKey, body });
      return { id: made.json.id } as Live;
    }
    case 'active':
      return to === 'completing' ? ripe() : live();
    case 'waiting_for_input': {
      if (to !== 'completing') {
        const of = await live();
        await ask(of);
        return of;
      }
      const of = await ripe({ autoCompleteEnabled: false });
      expect((await post(of.id, '/complete', {})).status).toBe(409);
      return of;
    }
    case 'archived': {
      const of = await at('failed');
      await set(of.id, 'archived');
      return of;
    }
    case 'completed': {
      const of = await at('completing');
      await set(of.id, 'completed');
      await cleanUp(of.id);
      return of;
    }
    case 'paused':
    case 'blocked':
    case 'completing':
    case 'failed': {
      const of = from === 'completing' ? await ripe() : await live();
      expect((await set(of.id, from)).json).toMatchObject({ success: true, newStatus: from });
      return of;
    }
  }
}

/** Steps that have an act of their own; every other is asked for by its name. */
const acts: Readonly<Record<string, (of: Live) => Promise<unknown>>> = {
  'created>active': (of) => post(of.id, '/start', {}),
  'active>waiting_for_input': ask,
  'waiting_for_input>active': async (of) => {
    const path = `/api/v1/mesh/questions?contractId=${of.id}&status=open`;
    const { json } = await api.send('GET', path, { key: api.ownerKey });
    const answer = `/api/v1/mesh/questions/${json.items[0].id}/answer`;
    return api.send('POST', answer, { key: api.ownerKey, body: { response: 'this' } });
  },
  'completing>completed': async (of) => {
    await set(of.id, 'completed');
    await cleanUp(of.id);
  },
};

describe('Valid state transitions allowed', () => {
  const pairs = statuses.flatMap((from) => table[from].map((to) => [from, to] as const));
  it.each(pairs)('%s to %s: Status change triggers event recording', async (from, to) => {
    const of = await at(from, to);
    expect((await get(of.id)).status).toBe(from);
    await (acts[`${from}>${to}`] ?? ((which: Live) => set(which.id, to)))(of);
    const after = await get(of.id);
    expect(after.status).toBe(to);
    const path = `/api/v1/events?contractId=${of.id}&limit=200`;
    const { items } = (await api.send('GET', path, { key: api.ownerKey })).json;
    const moves = items.filter((e: { type: string }) => e.type === 'contract.status_changed');
    expect(moves.at(-1).data).toMatchObject({ from, to });
  });
});

describe('Invalid state transitions rejected', () => {
  it.each(statuses)('from %s: each with its reason, and nothing changes', async (from) => {
    const of = await at(from);
    const before = await get(of.id);
    for (const to of statuses.filter((status) => !table[from].includes(status))) {
      const refused = await set(of.id, to);
      expect(refused, `${from} to ${to}`).toMatchObject({
        status: 400,
        json: {
          code: 'INVALID_TRANSITION',
          details: { previousStatus: from, newStatus: from, targetStatus: to },
        },
      });
      expect(refused.json.details.rejectionReason).toBe(refused.json.detail);
    }
    if (of.supervisorKey !== undefined)
      for (const to of statuses)
        expect([401, 403]).toContain(
          (await post(of.id, '/status', { targetStatus: to }, of.supervisorKey)).status,
        );
    expect(await get(of.id)).toEqual(before);
  });
});

it('Concurrent phase changes handled correctly: of a hundred one succeeds, the others are told why', async () => {
  const of = await live();
  await word(of.id, 'plan-document');
  const { version } = await get(of.id);
  const body = { phase: 'execute', expectedVersion: version };
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      post(of.id, '/phase', body, i % 2 === 0 ? of.supervisorKey : api.ownerKey),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { status, json } of answers.filter((answer) => answer.status !== 200))
    expect([status, json.code, json.details]).toEqual([
      409,
      'VERSION_CONFLICT',
      { expected: version, actual: version + 1, currentPhase: 'execute' },
    ]);
});

describe('a type of the owner', () => {
  it('is defined, used and kept by what runs, over the API', async () => {
    const type = (phases: object[]) =>
      api.send('POST', '/api/v1/contract-types', {
        key: api.ownerKey,
        body: { name: 'release', phases },
      });
    const owed = { id: 'notes', name: 'Notes' };
    const first = await type([{ name: 'write', deliverables: [owed] }, { name: 'ship' }]);
    expect(first).toMatchObject({ status: 201, json: { version: 1, builtin: false } });
    const of = await live({ contractType: 'release' });
    await type([{ name: 'only' }]);
    expect(await get(of.id)).toMatchObject({ contractType: 'release', phases: ['write', 'ship'] });
    const wrong = await word(of.id, 'plan-document');
    expect(wrong).toMatchObject({ status: 400, json: { code: 'INVALID_DELIVERABLE' } });
    expect(wrong.json.details.validIds).toEqual(['notes']);
    expect((await word(of.id, 'notes')).json).toMatchObject({ ready: true });
    expect((await post(of.id, '/phase', { phase: 'ship' })).status).toBe(200);
    const { status } = await type([{ name: 'two words' }]);
    expect(status).toBe(400);
  });
});
