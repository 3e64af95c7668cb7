/**
 * The guard as a security boundary: two supervisors and a person race on a guarded contract, and a supervisor's
 * key is turned over the whole API and every tool. Nothing but a person's yes lets the phase be left.
 *
 * `MAKIMA_FUZZ_ROUNDS` makes it longer.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointList } from '@makima/contracts/http/all';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import type { Report } from '@makima/contracts/socket/reports';
import { restartSupervisor } from '@makima/engine/supervisor/restart';
import { createSchemas } from './openapi-schemas.ts';
import { chance } from './testing/chance.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  ended,
  joinMachine,
  ownerOf,
  startedContract,
  type TestContract,
  type TestMachine,
} from './testing/test-house.ts';

const rounds = Number(process.env['MAKIMA_FUZZ_ROUNDS'] ?? 3);
const seed = Number(process.env['MAKIMA_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const random = chance(seed);

let api: TestApi;
let machine: TestMachine;
beforeAll(async () => {
  const none = { checkpointMs: 0, mergeMs: 0, branchMs: 0, diffMs: 0, pullRequestMs: 0 };
  api = await startTestApi({ machineHolds: none });
  machine = await joinMachine(api);
});
afterAll(() => api.stop());

const at = (id: string, rest: string): string => `/api/v1/contracts/${id}${rest}`;
const owner = (method: string, path: string, body?: object) =>
  api.send(method, path, { key: api.ownerKey, body });

/** In its guarded plan phase, with the plan there. */
async function planned(): Promise<TestContract> {
  const of = await startedContract(api, machine, {
    phaseGuard: ['plan', 'execute'],
    autoCompleteEnabled: false,
  });
  const path = at(of.detail.id, '/deliverables/plan-document/complete');
  const shown = await owner('POST', path, { evidence: [{ kind: 'word', text: 'it is there' }] });
  expect(shown).toMatchObject({ status: 200, json: { ready: true } });
  return of;
}

/** Ways by which the plan was left, with who decided it. */
const leavings = (contractId: string) =>
  api.engine.database.sql<{ guarded: boolean; byKind: string; decidedByUserId: string | null }[]>`
    select p.guarded, p.by_kind, f.decided_by_user_id from phase_changes p
      left join confirmations f on f.id = p.confirmation_id where p.contract_id = ${contractId}`;

describe('Phase guard, API enforces regardless of caller', () => {
  it.each(['approves', 'stays away'])(
    'two supervisors race with a person who %s',
    async (person) => {
      const of = await planned();
      const { id, version } = (await owner('GET', at(of.detail.id, ''))).json;
      // Its second epoch begins while the first one’s agent still has its key.
      await restartSupervisor(api.engine, { caller: await ownerOf(api) }, { id });
      const end = { ...ended(of.supervisorTaskId, 1, ''), outcome: 'stopped' } as Report;
      await machine.report(end);
      await machine.assign();
      const second = await machine.toolKey({ taskId: of.supervisorTaskId, attempt: 2 });
      const asks = [{}, { confirmed: true }, { force: true }, { confirmed: true, force: true }];
      const tries = [of.supervisorKey, second].flatMap((key) =>
        asks.flatMap((more) =>
          [undefined, version].map((expectedVersion) => () => {
            const body = { phase: 'execute', ...more, expectedVersion };
            return api.send('POST', at(id, '/phase'), { key, body });
          }),
        ),
      );
      const yes = () => owner('POST', at(id, '/phase'), { phase: 'execute', confirmed: true });
      const racing = [...tries, ...(person === 'approves' ? [yes] : []), ...tries];
      const answers = await Promise.all(racing.map((send) => send()));
      const { phase } = (await owner('GET', at(id, ''))).json;
      if (person === 'stays away') {
        expect(phase).toBe('plan');
        expect(await leavings(id)).toEqual([]);
        expect(answers.map(({ status }) => status)).not.toContain(200);
        return;
      }
      const { userId } = await ownerOf(api);
      expect(phase).toBe('execute');
      expect(await leavings(id)).toEqual([
        { guarded: true, byKind: 'person', decidedByUserId: userId },
      ]);
      // A supervisor that comes after it stands where it wants to be, and has moved nothing.
      for (const { json } of answers.filter(({ status }) => status === 200))
        expect(json).toMatchObject({ phase: 'execute', version: version + 1 });
    },
  );
});

describe('a supervisor’s key', () => {
  it(`passes no guard, whatever it sends to whatever address (seed ${seed})`, async () => {
    const of = await planned();
    const { id } = of.detail;
    const key = of.supervisorKey;
    const asked = await api.send('POST', at(id, '/phase'), { key, body: { phase: 'execute' } });
    const words = await wordsOf(of, asked.json.details);
    for (let round = 0; round < rounds; round += 1) {
      for (const endpoint of endpointList) await turn(key, endpoint, words);
      const after = (await owner('GET', at(id, ''))).json;
      expect(after).toMatchObject({
        phase: 'plan',
        guardedPhases: ['plan', 'execute'],
        autoCompleteEnabled: false,
      });
      expect(['active', 'waiting_for_input']).toContain(after.status);
    }
    await turnTools(key, words);
    expect((await owner('GET', at(id, ''))).json.phase).toBe('plan');
    expect(await leavings(id)).toEqual([]);
    const decided = await api.engine.database.sql`
      select 1 from confirmations where contract_id = ${id} and state in ('approved', 'used')`;
    expect(decided).toHaveLength(0);
    // The door was there all the time: a person walks through it.
    const yes = await owner('POST', at(id, '/phase'), { phase: 'execute', confirmed: true });
    expect(yes).toMatchObject({ status: 200, json: { phase: 'execute' } });
  });
});

/** Values by the name of the field that takes them, and for all others. */
interface Words {
  readonly ids: readonly string[];
  readonly byName: Readonly<Record<string, readonly unknown[]>>;
  readonly any: readonly unknown[];
}

async function wordsOf(
  of: TestContract,
  guard: { confirmationId: string; questionId: string },
): Promise<Words> {
  const { confirmationId, questionId } = guard;
  const { id, repositories } = of.detail;
  const ids = [id, of.supervisorTaskId, questionId, confirmationId, repositories[0]?.id ?? ''];
  const yes = ['Approve', 'approve', 'confirm', 'yes', ['Approve']];
  return {
    ids,
    byName: {
      phase: ['execute', 'plan'],
      confirmed: [true],
      force: [true],
      confirmationId: [confirmationId],
      response: yes,
      targetStatus: ['completing', 'completed', 'active', 'failed', 'archived'],
      phaseGuard: [false, []],
      enabled: [true],
      operation: ['pause_all', 'archive_old', 'cleanup_archived'],
      confirm: [true],
      contractId: [id],
      // Nothing is waited for.
      timeoutSeconds: [0],
      waitSeconds: [0],
      nonBlocking: [true],
      question: ['May I?'],
      questionType: ['phase_confirmation', 'contract_complete', 'general'],
      phaseguard: [true, false],
      taskIds: [[of.supervisorTaskId]],
      evidence: [[]],
      name: ['n'],
      plan: ['p'],
      message: ['Approve'],
      scopes: [['read', 'write', 'owner']],
    },
    any: [true, false, null, 0, 1, 'Approve', 'execute', id, confirmationId, [], {}, undefined],
  };
}

function fill(names: readonly string[], words: Words): Record<string, unknown> {
  const chosen = names.filter(() => random.next() < 0.8);
  return Object.fromEntries(
    chosen.map((name) => {
      const likely = words.byName[name];
      return [
        name,
        likely !== undefined && random.next() < 0.9 ? random.of(likely) : random.of(words.any),
      ];
    }),
  );
}

async function turn(key: string, endpoint: Endpoint, words: Words): Promise<void> {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'deliverableId' ? 'plan-document' : random.of(words.ids),
  );
  const schemas = createSchemas();
  const body =
    endpoint.body === undefined
      ? undefined
      : fill(Object.keys(schemas.input(endpoint.body).properties ?? {}), words);
  const gone = new AbortController();
  const answer = api
    .send(endpoint.method, `${path}${path.endsWith('/poll') ? '?waitSeconds=0' : ''}`, {
      key,
      body,
      signal: gone.signal,
    })
    .then(
      ({ status }) => status,
      () => 0,
    );
  const status = await Promise.race([answer, heldOr(answer)]);
  gone.abort();
  expect(status, `${endpoint.method} ${path} ${JSON.stringify(body)}`).not.toBe(500);
  await answer;
}

/** Whoever waits for a machine or a person is not waited for. */
async function heldOr(answer: Promise<unknown>): Promise<number> {
  let over = false;
  void answer.finally(() => (over = true));
  while (!over && api.api.holds.size === 0) await new Promise((next) => setImmediate(next));
  return 0;
}

async function turnTools(key: string, words: Words): Promise<void> {
  const agent = new Client({ name: 'thief', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await agent.connect(
    new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), { requestInit }),
  );
  const { tools } = await agent.listTools();
  expect(tools.length).toBeGreaterThan(10);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, inputSchema } of tools) {
      const names = [...Object.keys(inputSchema.properties ?? {}), 'confirmed', 'confirmationId'];
      const gone = new AbortController();
      const answer = agent
        .callTool({ name, arguments: fill(names, words) }, { signal: gone.signal })
        .catch(() => undefined);
      await Promise.race([answer, heldOr(answer)]);
      gone.abort();
      await answer;
    }
  }
  await agent.close();
}
