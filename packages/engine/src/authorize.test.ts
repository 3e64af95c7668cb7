/**
 * Who may call what, generated over all verbs: every credential that an endpoint's policy does not name is
 * refused by the verb itself, whatever the door forgot; and foreign rows are not found.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpoints, type EndpointId } from '@makima/contracts/http/all';
import type { Policy } from '@makima/contracts/http/endpoint';
import type { Agent, Principal } from './principal.ts';
import { TestDaemon } from './test-daemon.ts';
import { openTestEngine, personOf, refusal, stranger, type TestEngine } from './test-engine.ts';
import type { Ids } from './test-ids.ts';
import { brokenInvariants } from './test-invariants.ts';
import { fullScene, running, stage, type Stage } from './test-stage.ts';
import type { Verb } from './test-verb.ts';
import { doorsOnly, verbs } from './test-verbs.ts';

let t: TestEngine;
let scene: Stage & { ids: Ids; directiveAgent: Agent };
let other: Stage;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 50 });
  scene = await fullScene(t, daemon);
  other = await stage(t, { daemon });
});
afterAll(() => t.close());

const policyOf = (name: EndpointId): Exclude<Policy, { public: true }> => {
  const { policy } = endpoints[name];
  if ('public' in policy) throw new Error(`${name} is public`);
  return policy;
};
const named = (list: readonly Verb[]): [string, Verb][] => list.map((verb) => [verb.name, verb]);

/** What a refused call may not leave behind. */
const traces = async (): Promise<unknown> =>
  t.database.sql`
    select (select count(*) from events) as events, (select count(*) from outbox) as outbox,
           (select count(*) from daemon_commands) as commands, (select count(*) from tasks) as tasks,
           (select sum(version) from contracts) as versions, (select count(*) from orders where status = 'open') as orders,
           (select sum(version) from directives) as directives, (select count(*) from keys) as keys`;

async function refused(verb: Verb, caller: Principal, codes: readonly string[]): Promise<void> {
  const before = await traces();
  const error = await refusal(verb.run(t.engine, { caller }, scene.ids));
  expect(codes, error.message).toContain(error.code);
  expect(await traces()).toEqual(before);
}

const notFound = ['NOT_FOUND', 'CONTRACT_NOT_FOUND'];
const notAllowed = ['FORBIDDEN', 'NOT_SUPERVISOR', 'NO_CONTEXT'];

it('covers every endpoint that a credential can call', () => {
  const covered = [...verbs.map((verb) => verb.name), ...doorsOnly];
  expect(Object.keys(endpoints).filter((id) => !covered.includes(id as EndpointId))).toEqual([]);
  expect(new Set(covered).size).toBe(covered.length);
});

describe('a viewer, and a key that may only read', () => {
  const writes = verbs.filter((verb) => policyOf(verb.name).person !== 'read');
  it.each(named(writes))('cannot %s', async (_, verb) => {
    await refused(verb, await personOf(t, { role: 'viewer' }), notAllowed);
    await refused(verb, { ...t.owner, scopes: ['read'] }, notAllowed);
  });

  const reads = verbs.filter((verb) => policyOf(verb.name).person === 'read');
  it.each(named(reads))('can %s', async (_, verb) => {
    await verb.run(t.engine, { caller: await personOf(t, { role: 'viewer' }) }, scene.ids);
  });
});

describe('a member', () => {
  const ownersOnly = verbs.filter((verb) => policyOf(verb.name).person === 'owner');
  it.each(named(ownersOnly))('cannot %s', async (_, verb) => {
    await refused(verb, await personOf(t, { role: 'member' }), notAllowed);
    await refused(verb, { ...t.owner, scopes: ['read', 'write'] }, notAllowed);
  });
});

describe('a supervisor', () => {
  const peoplesOnly = verbs.filter((verb) => policyOf(verb.name).tool === 'none');
  it.each(named(peoplesOnly))('cannot %s', async (_, verb) => {
    await refused(verb, scene.supervisor, notAllowed);
  });

  const toldById = verbs.filter(
    (verb) => policyOf(verb.name).tool !== 'none' && verb.about !== null,
  );
  it.each(named(toldById))('of another contract does not find what to %s', async (_, verb) => {
    await refused(verb, other.supervisor, notFound);
  });

  it('of an earlier epoch is fenced, and reads nothing new by writing', async () => {
    const old = { ...scene.supervisor, attempt: scene.supervisor.attempt + 1 };
    for (const verb of verbs) {
      const { tool } = policyOf(verb.name);
      if (verb.does === 'writes' && tool !== 'none') await refused(verb, old, ['FENCED']);
    }
  });
});

describe('a task’s agent', () => {
  const supervisorsOnly = verbs.filter((verb) => policyOf(verb.name).tool !== 'task');
  it.each(named(supervisorsOnly))('cannot %s', async (_, verb) => {
    const agent = await daemon.agent({ taskId: scene.ids.runningTaskId, attempt: 1 });
    await refused(verb, agent, [...notAllowed, ...notFound]);
  });

  it('sees nothing of its siblings', async () => {
    const sibling = await daemon.agent(await running(scene, { name: 'sibling' }));
    const about = verbs.filter((verb) => verb.about === 'taskId' || verb.about === 'runningTaskId');
    for (const verb of about) await refused(verb, sibling, [...notAllowed, ...notFound]);
  });
});

describe('an agent of a directive', () => {
  const notItsOwn = verbs.filter((verb) => {
    const { tool } = policyOf(verb.name);
    return tool === 'none' || tool === 'supervisor';
  });
  it.each(named(notItsOwn))('cannot %s', async (_, verb) => {
    await refused(verb, scene.directiveAgent, [...notAllowed, ...notFound]);
  });

  const toldById = verbs.filter(
    (verb) => policyOf(verb.name).tool !== 'none' && verb.about !== null,
  );
  it.each(named(toldById))('does not find what to %s in a contract', async (_, verb) => {
    await refused(verb, scene.directiveAgent, [...notAllowed, ...notFound]);
  });

  it('is fenced when its attempt is over', async () => {
    const old = { ...scene.directiveAgent, attempt: 2 };
    for (const verb of verbs) {
      if (policyOf(verb.name).tool === 'lead' && verb.does === 'writes')
        await refused(verb, old, ['FENCED']);
    }
  });
});

describe('a daemon', () => {
  it.each(named(verbs))('cannot %s', async (_, verb) => {
    await refused(verb, daemon.principal, notAllowed);
  });
});

describe('another owner', () => {
  const byId = verbs.filter((verb) => verb.about !== null);
  it.each(named(byId))('does not find what to %s', async (_, verb) => {
    await refused(verb, await stranger(t), notFound);
  });

  const lists = verbs.filter((verb) => verb.about === null && verb.does === 'reads');
  it.each(named(lists))('gets nothing of ours from %s', async (_, verb) => {
    const answer = JSON.stringify(
      await verb.run(t.engine, { caller: await stranger(t) }, scene.ids),
    );
    for (const id of Object.values(scene.ids)) expect(answer).not.toContain(id);
  });

  it('cannot use our ids in an input of its own', async () => {
    const person = await stranger(t);
    const theirs = await TestDaemon.join(t, { owner: person });
    const mine = await stage({ ...t, owner: person, ownerId: person.ownerId }, { daemon: theirs });
    const ids = { ...scene.ids, contractId: mine.contract.id };
    const spawn = verbs.find((verb) => verb.name === 'spawnTask');
    await spawn?.run(t.engine, { caller: person }, ids);
    const mixed = verbs.filter((verb) => ['removeRepository', 'waitForTasks'].includes(verb.name));
    for (const verb of mixed) {
      const error = await refusal(verb.run(t.engine, { caller: person }, ids));
      expect(notFound).toContain(error.code);
    }
  });
});

it('leaves rows that agree', async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
