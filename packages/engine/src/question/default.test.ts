/** Defaults: an answer in case that nobody gives one, opt-in, visible, stoppable, and never a person's gate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerText, defaultAnswerer } from '@makima/domain/question';
import type { z } from 'zod';
import { changeStatus } from '../contract/change-status.ts';
import { answerQuestion } from './answer.ts';
import { askQuestion } from './ask.ts';
import { answerByDefault, holdDefault } from './default.ts';
import { getQuestion, readAnswer } from './get.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  openTestEngine,
  personOf,
  refusal,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, stage, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

type Input = Partial<z.input<typeof zAskInput>>;
const colour: Input = {
  question: 'Which colour?',
  choices: ['red', 'blue'],
  default: { answer: 'RED', afterSeconds: 60 },
};
async function ask(scene: Stage, input: Input = colour): Promise<string> {
  const whole = zAskInput.parse({ question: 'q', ...input });
  const { result } = await askQuestion(t.engine, by(scene.supervisor), whole);
  await readAnswer(t.engine, t.system, { questionId: result.questionId, holdMs: 0 });
  await daemon.pull();
  return result.questionId;
}
const due = (id: string) =>
  t.database.sql`update questions set default_at = clock() - interval '1 s' where id = ${id}`;
const sweep = () => answerByDefault(t.engine, { limit: 100 });
const messages = async () =>
  (await daemon.pullOnly('task.message')).map((command) => command.message.text);

describe('a default', () => {
  it('is shown with its time, and taken then and not before, once', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    const shown = await getQuestion(t.engine, t.owner, { id });
    const left = Date.parse(shown.default?.at ?? '') - Date.parse(shown.askedAt);
    expect([shown.default?.answer, left]).toEqual(['red', 60_000]);
    await sweep();
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('open');
    await due(id);
    await Promise.all([sweep(), sweep(), sweep()]);
    expect(await getQuestion(t.engine, t.owner, { id })).toMatchObject({
      status: 'answered',
      response: 'red',
      answeredBy: defaultAnswerer,
    });
    expect(await messages()).toEqual([answerText('Which colour?', 'red')]);
    expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'active' });
    const answered = (await eventsOf(t, scene.contract.id)).filter(
      (e) => e.type === 'question.answered',
    );
    expect(answered).toMatchObject([{ data: { response: 'red', by: defaultAnswerer } }]);
    expect(
      (await refusal(answerQuestion(t.engine, by(t.owner), { id, response: 'blue' }))).message,
    ).toBe('the default of its asker answered already: red');
  });

  it('and a person at the same moment: one of them, and the person is told', async () => {
    const scene = await stage(t, { daemon });
    for (let round = 0; round < 5; round += 1) {
      const id = await ask(scene);
      await due(id);
      const [answered] = await Promise.allSettled([
        answerQuestion(t.engine, by(t.owner), { id, response: 'blue' }),
        sweep(),
      ]);
      const { response } = await getQuestion(t.engine, t.owner, { id });
      if (answered.status === 'fulfilled') expect(response).toBe('blue');
      else {
        expect(answered.reason).toMatchObject({ code: 'QUESTION_ANSWERED' });
        expect(response).toBe('red');
      }
      expect(await messages()).toHaveLength(1);
    }
  });

  it('waits while the contract stands still', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    const { id: contractId } = scene.contract;
    await changeStatus(t.engine, by(t.owner), { id: contractId, targetStatus: 'paused' });
    await due(id);
    await sweep();
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('open');
    await changeStatus(t.engine, by(t.owner), { id: contractId, targetStatus: 'active' });
    await sweep();
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('answered');
  });

  it.each([
    { phaseguard: true },
    { questionType: 'phase_confirmation' },
    { questionType: 'contract_complete' },
    { default: { answer: ['red', 'blue'], afterSeconds: 60 } },
    { default: { answer: '  ', afterSeconds: 60 } },
  ] as const)('is refused with %j', async (change) => {
    const scene = await stage(t, { daemon });
    const asked = ask(scene, { ...colour, ...(change as Input) });
    expect(await refusal(asked)).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ pointer: '/default' }] },
    });
    expect((await contractRow(t, scene.contract.id)).status).toBe('active');
  });
});

describe('the countdown', () => {
  it('is stopped by a person, once and for all', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    for (let round = 0; round < 2; round += 1) {
      const { result } = await holdDefault(t.engine, by(t.owner), { id });
      expect(result.default).toEqual({ answer: 'red', at: null });
    }
    await sweep();
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('open');
    const held = (await eventsOf(t, scene.contract.id)).filter((e) => e.type === 'question.held');
    expect(held).toMatchObject([{ data: { questionId: id, by: t.owner.name } }]);
  });

  it('is not there to be stopped, is over, or is another’s', async () => {
    const scene = await stage(t, { daemon });
    const hold = (id: string, who = t.owner) => refusal(holdDefault(t.engine, by(who), { id }));
    const plain = await ask(scene, { question: 'Which?' });
    expect((await hold(plain)).code).toBe('CONFLICT');
    const id = await ask(scene);
    expect((await hold(id, await personOf(t, { role: 'viewer' }))).code).toBe('FORBIDDEN');
    await answerQuestion(t.engine, by(t.owner), { id, response: 'blue' });
    expect((await hold(id)).code).toBe('QUESTION_ANSWERED');
    const gone = await ask(scene);
    await changeStatus(t.engine, by(t.owner), {
      id: scene.contract.id,
      targetStatus: 'failed',
      reason: 'stop',
    });
    expect((await hold(gone)).code).toBe('CONFIRMATION_VOID');
    expect((await hold('00000000-0000-7000-8000-000000000000')).code).toBe('NOT_FOUND');
  });
});

it('a confirmation that an agent asks for shows the agent’s own words', async () => {
  const scene = await stage(t, { daemon });
  const id = await ask(scene, {
    question: 'The plan is done, may I?',
    context: 'three files',
    questionType: 'phase_confirmation',
  });
  expect((await getQuestion(t.engine, t.owner, { id })).context).toContain(
    'The supervisor says: The plan is done, may I?\nthree files',
  );
});
