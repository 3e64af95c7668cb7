/** The inbox and the list of questions: complete, and as cheap for many questions as for one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { changePhase } from '../contract/change-phase.ts';
import { changeStatus } from '../contract/change-status.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import type { Engine } from '../context.ts';
import { by, openTestEngine, type TestEngine } from '../test-engine.ts';
import { stage, type Stage } from '../test-stage.ts';
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
});
