/**
 * Every verb that writes, twice with the same key: one effect, one answer, whether one after the other, at
 * once, or with another request under the same key. Generated over all verbs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpoints } from '@makima/contracts/http/all';
import { act, type Call } from './context.ts';
import type { Agent, Principal } from './principal.ts';
import { changeStatus } from './contract/change-status.ts';
import { TestDaemon } from './test-daemon.ts';
import { by, newContract, openTestEngine, refusal, type TestEngine } from './test-engine.ts';
import type { Ids } from './test-ids.ts';
import { brokenInvariants } from './test-invariants.ts';
import { fullScene, type Stage } from './test-stage.ts';
import type { Verb } from './test-verb.ts';
import { verbs } from './test-verbs.ts';
import { webhookScene } from './test-webhook.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 1_000 });
});
afterAll(() => t.close());

/** What a verb leaves behind. */
const effects = async (): Promise<Record<string, number>> => {
  const [row] = await t.database.sql<Record<string, number>[]>`
    select (select count(*)::int from events) as events, (select count(*)::int from outbox) as mail,
           (select count(*)::int from daemon_commands) as commands, (select count(*)::int from audit) as audit,
           (select count(*)::int from tasks) as tasks, (select count(*)::int from contracts) as contracts,
           (select count(*)::int from questions) as questions, (select count(*)::int from waits) as waits,
           (select count(*)::int from keys) as keys, (select count(*)::int from enrolments) as enrolments,
           (select count(*)::int from repositories) as repositories, (select count(*)::int from directives) as directives,
           (select count(*)::int from orders) as orders, (select count(*)::int from orders where status = 'open') as open_orders, (select coalesce(sum(version), 0)::int from contracts) as versions,
           (select count(*)::int from webhooks) as webhooks, (select count(*)::int from webhook_deliveries) as deliveries,
           (select coalesce(sum(version), 0)::int from webhooks) as webhook_versions`;
  return row ?? {};
};

/** A person does it, unless only a supervisor may. */
const callerOf = (verb: Verb, scene: Stage & { directiveAgent: Agent }): Principal => {
  if (verb.name === 'placeOrder') return scene.directiveAgent;
  const { policy } = endpoints[verb.name];
  return 'person' in policy && policy.person === 'none' ? scene.supervisor : t.owner;
};

/** A scene in which the verb has something to do. */
async function sceneFor(verb: Verb): Promise<Stage & { ids: Ids; directiveAgent: Agent }> {
  const scene = await fullScene(t, daemon);
  if (verb.name === 'deleteContract') {
    const { id } = await newContract(t, { start: false });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
    return { ...scene, ids: { ...scene.ids, contractId: id } };
  }
  // Only one whose agent does not run is brought back.
  if (verb.name === 'resumeSupervisor')
    await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'crashed' });
  if (verb.name === 'startContract') {
    const { id } = await newContract(t, { start: false });
    return { ...scene, ids: { ...scene.ids, contractId: id } };
  }
  return scene;
}

/** Their answer is a secret, which is never stored. */
const secret = verbs.filter(({ name }) =>
  ['createKey', 'createEnrolment', 'createWebhook', 'rotateWebhookSecret'].includes(name),
);
const writes = verbs
  .filter((verb) => verb.does === 'writes' && !secret.includes(verb))
  .map((verb) => [verb.name, verb] as const);

describe('with the same key', () => {
  it.each(writes)('%s happens once', async (name, verb) => {
    const scene = await sceneFor(verb);
    const call: Call = {
      caller: callerOf(verb, scene),
      idempotency: { key: `${name}-1`, fingerprint: 'same', keep: 'days' },
    };
    const [first, second] = (await Promise.all([
      verb.run(t.engine, call, scene.ids),
      verb.run(t.engine, call, scene.ids),
    ])) as { result: unknown; replayed: boolean }[];
    const after = await effects();
    const third = (await verb.run(t.engine, call, scene.ids)) as typeof first;
    expect([first?.replayed, second?.replayed].toSorted((a, b) => Number(a) - Number(b))).toEqual([
      false,
      true,
    ]);
    expect(third?.replayed).toBe(true);
    const stored = JSON.parse(JSON.stringify(first?.result)) as unknown;
    expect(JSON.parse(JSON.stringify(second?.result))).toEqual(stored);
    expect(third?.result).toEqual(stored);
    expect(await effects()).toEqual(after);
    const other = {
      ...call,
      idempotency: { key: `${name}-1`, fingerprint: 'other', keep: 'days' as const },
    };
    expect((await refusal(verb.run(t.engine, other, scene.ids))).code).toBe('IDEMPOTENCY_MISMATCH');
  });
});

it.each(secret.map((verb) => [verb.name, verb] as const))(
  '%s stores no secret',
  async (_, verb) => {
    const idempotency = { key: 'secret', fingerprint: 'x', keep: 'days' } as const;
    const { id } = await newContract(t, { start: false });
    const ids = (await webhookScene(t, { contractId: id })) as Ids;
    const made = (await verb.run(t.engine, { caller: t.owner, idempotency }, ids)) as {
      result: { key?: string; token?: string; secret?: string };
    };
    const { key, token, secret: signing } = made.result;
    const text = key ?? token ?? signing ?? '';
    expect(text).toMatch(/^(mk_|whsec_)/);
    const dump = JSON.stringify(
      await t.database.sql`
      select (select json_agg(k) from keys k) as keys, (select json_agg(e) from enrolments e) as enrolments,
             (select json_agg(i) from idempotency_keys i) as answers, (select json_agg(v) from events v) as events,
             (select json_agg(o) from outbox o) as outbox, (select json_agg(c) from daemon_commands c) as commands`,
    );
    expect(dump).not.toContain(text.slice(-38));
  },
);

it('forgets a call that failed: the same key may succeed later', async () => {
  const { id } = await newContract(t, { start: false, repositories: [] });
  const start = verbs.find((verb) => verb.name === 'startContract');
  const call: Call = {
    caller: t.owner,
    idempotency: { key: 'failed-first', fingerprint: 'x', keep: 'days' },
  };
  const scene = { contractId: id } as Ids;
  expect((await refusal(start?.run(t.engine, call, scene) ?? Promise.resolve())).code).toBe(
    'MISSING_REPO_URL',
  );
  const add = verbs.find((verb) => verb.name === 'addRepository');
  await add?.run(t.engine, by(t.owner), scene);
  expect(await start?.run(t.engine, call, scene)).toMatchObject({ replayed: false });
});

it('tells who creates a contract without a repository to name one: there is nothing to add it to', async () => {
  const unmade = await refusal(newContract(t, { start: true, repositories: [] }));
  expect(unmade.code).toBe('MISSING_REPO_URL');
  expect(unmade.fix).toMatch(/`repositories` of this request/);
  expect(unmade.fix).not.toContain('/api/v1');
});

it('tells whoever asks again while the first is at work to come back, and then gives its answer', async () => {
  const hasty = await openTestEngine({ connections: 2, lockTimeoutMs: 50 });
  const idempotency = { key: 'slow', fingerprint: 'same', keep: 'days' } as const;
  const call: Call = { caller: hasty.owner, idempotency };
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const first = act(hasty.engine, call, async () => {
    begun.resolve();
    await released.promise;
    return 'first';
  });
  try {
    await begun.promise;
    const again = await refusal(act(hasty.engine, call, async () => 'second'));
    expect(again).toMatchObject({ code: 'IDEMPOTENCY_IN_FLIGHT', retryable: true });
  } finally {
    released.resolve();
  }
  expect(await first).toEqual({ result: 'first', replayed: false });
  expect(await act(hasty.engine, call, async () => 'third')).toEqual({
    result: 'first',
    replayed: true,
  });
  await hasty.close();
});

it('leaves rows that agree', async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
