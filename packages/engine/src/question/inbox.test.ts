/** The inbox and the list of questions: complete, and as cheap for many questions as for one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { getContract } from '../contract/get.ts';
import { listContracts } from '../contract/list.ts';
import { whyContract } from '../contract/why.ts';
import { changePhase } from '../contract/change-phase.ts';
import { changeStatus } from '../contract/change-status.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import type { Engine } from '../context.ts';
import { by, openTestEngine, stranger, type TestEngine } from '../test-engine.ts';
import { spawned, stage, type Stage } from '../test-stage.ts';
import { whyTask } from '../task/why.ts';
import { askQuestion } from './ask.ts';
import { getQuestion, listQuestions } from './get.ts';
import { inbox } from './inbox.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t);
});
afterAll(() => t.close());

const ask = (question: string) =>
  askQuestion(
    t.engine,
    by(scene.supervisor),
    zAskInput.parse({ question, choices: ['a', 'b'], nonBlocking: true }),
  );

/** The engine, and how many statements and parts of statements were made for its store since. */
function counted(): { readonly engine: Engine; readonly statements: () => number } {
  let statements = 0;
  const sql = new Proxy(t.engine.database.sql, {
    apply(target, self, args) {
      statements += 1;
      return Reflect.apply(target, self, args) as unknown;
    },
  });
  const database = { ...t.engine.database, sql };
  return { engine: { ...t.engine, database }, statements: () => statements };
}

async function statementsOf(read: (engine: Engine) => Promise<unknown>): Promise<number> {
  const { engine, statements } = counted();
  await read(engine);
  return statements();
}

describe('what waits for a person', () => {
  it('is read with as many statements for many questions as for one', async () => {
    await ask('first?');
    const reads = [
      (engine: Engine) => inbox(engine, t.owner),
      (engine: Engine) => listQuestions(engine, t.owner, { status: 'open', limit: 100 }),
    ];
    const before = await Promise.all(reads.map(statementsOf));
    for (let n = 0; n < 12; n += 1) await ask(`another ${n}?`);
    const after = await Promise.all(reads.map(statementsOf));
    expect(after).toEqual(before);
    expect(Math.min(...before)).toBeGreaterThan(0);
    expect((await inbox(t.engine, t.owner)).items.length).toBe(13);
  });

  it('shows what a confirmation confirms, the same in every list', async () => {
    const { contract } = scene;
    await completeDeliverable(t.engine, by(t.owner), {
      id: contract.id,
      deliverableId: 'plan-document',
      evidence: [{ kind: 'word', text: 'it stands' }],
    });
    const change = { id: contract.id, phase: 'execute' };
    const { result } = await changePhase(t.engine, by(scene.supervisor), change);
    if (result.outcome !== 'guard_required') throw new Error(result.outcome);
    const one = await getQuestion(t.engine, t.owner, { id: result.questionId });
    expect(one.confirmation).toMatchObject({
      id: result.confirmationId,
      fromPhase: 'plan',
      toPhase: 'execute',
      deliverables: [expect.objectContaining({ id: 'plan-document' })],
    });
    expect(one).toMatchObject({ contractSlug: contract.slug, choices: expect.any(Array) });
    const { items } = await listQuestions(t.engine, t.owner, { status: 'open', limit: 100 });
    expect(items.find(({ id }) => id === one.id)).toEqual(one);
    const asked = (await inbox(t.engine, t.owner)).items;
    expect(asked.find(({ question }) => question?.id === one.id)).toMatchObject({
      kind: 'confirmation',
      contractName: contract.name,
      question: one,
    });
    expect(asked.map(({ rank }) => rank)).toEqual(asked.map((_, at) => at + 1));
  });

  it('names a blocked contract too', async () => {
    const blocked = await stage(t, { daemon: scene.daemon, contract: { name: 'Stuck' } });
    await changeStatus(t.engine, by(t.owner), {
      id: blocked.contract.id,
      targetStatus: 'blocked',
      blocker: 'no licence',
    });
    const { items } = await inbox(t.engine, t.owner);
    expect(items.find(({ contractId }) => contractId === blocked.contract.id)).toMatchObject({
      kind: 'blocked',
      title: 'no licence',
      question: null,
      act: `makima why ${blocked.contract.slug}`,
    });
  });

  it('names what stands still until a person acts on a machine, once for each reason', async () => {
    const own = await stage(t, { daemon: scene.daemon, contract: { name: 'Stands' } });
    const { contract, supervisorTaskId } = own;
    const standing = async () =>
      (await inbox(t.engine, t.owner)).items.filter(({ kind }) => kind === 'standstill');
    const attention = async () => {
      const { items } = await listContracts(t.engine, t.owner, { limit: 10 });
      const one = await getContract(t.engine, t.owner, { id: contract.id });
      return [items.find(({ id }) => id === contract.id)?.attention, one.attention];
    };
    expect(await standing()).toEqual([]);
    expect(await attention()).toEqual(['running', 'running']);

    const nowhere = async (name: string) => (await spawned(own, { name, agent: 'opencode' })).id;
    const first = await nowhere('first');
    const withOne = await statementsOf((engine) => inbox(engine, t.owner));
    await nowhere('second');
    const { summary, blockers } = await whyTask(t.engine, t.owner, { id: first });
    expect(await standing()).toMatchObject([
      {
        contractSlug: contract.slug,
        title: `Tasks first, second cannot start: ${summary}`,
        act: blockers[0]?.act,
      },
    ]);
    expect(await attention()).toEqual(['needs_you', 'needs_you']);
    expect(await statementsOf((engine) => inbox(engine, t.owner))).toBe(withOne);
    expect((await inbox(t.engine, await stranger(t))).items).toEqual([]);
    await t.database.sql`update tasks set status = 'cancelled' where id <> ${supervisorTaskId}`;
    expect(await standing()).toEqual([]);
  });

  it('names the machine that is away and holds up the end of a contract', async () => {
    const { contract, daemon } = await stage(t, { contract: { name: 'Ends' } });
    await t.database.sql`
      update contracts set status = 'completing', completion_detected_at = clock() where id = ${contract.id}`;
    const standing = async () =>
      (await inbox(t.engine, t.owner)).items.filter(({ contractId }) => contractId === contract.id);
    expect(await standing()).toEqual([]);
    await t.database.sql`update daemons set status = 'disconnected' where id = ${daemon.id}`;
    const { summary, blockers } = await whyContract(t.engine, t.owner, { id: contract.id });
    expect(await standing()).toMatchObject([
      { kind: 'standstill', title: summary, act: blockers[0]?.act },
    ]);
  });
});
