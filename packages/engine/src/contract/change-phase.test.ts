/** Phases and the guard: one change at a time, and no way around a person. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { endpoints } from '@makima/contracts/http/all';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { changePhase, type PhaseInput, type PhaseOutcome } from './change-phase.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { evaluateContract } from './evaluate.ts';
import { getQuestion, listQuestions } from '../question/get.ts';
import { patchContract } from './patch.ts';
import { setAutoComplete } from './set-auto-complete.ts';
import type { Principal } from '../principal.ts';
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
import { contractRow, fullScene, stage, type Stage } from '../test-stage.ts';
import { verbs } from '../test-verbs.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
  daemon = await TestDaemon.join(t, { slots: 200 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const change = async (
  caller: Principal,
  input: Partial<PhaseInput> & { id: string },
): Promise<PhaseOutcome> =>
  (await changePhase(t.engine, by(caller), { phase: 'execute', ...input })).result;

const deliver = (caller: Principal, id: string, deliverableId = 'plan-document', text = 'seen') =>
  completeDeliverable(t.engine, by(caller), {
    id,
    deliverableId,
    evidence: caller.kind === 'person' ? [{ kind: 'word', text }] : [],
  });

/** A simple contract in its plan phase, with the plan delivered. */
const planned = async (guard: boolean): Promise<Stage> => {
  const scene = await stage(t, { daemon, contract: { phaseGuard: guard } });
  await deliver(scene.supervisor, scene.contract.id);
  return scene;
};

describe('a phase change', () => {
  it('has one winner among twenty, and tells the others why', async () => {
    const { contract, supervisor } = await planned(false);
    const { version } = await contractRow(t, contract.id);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        change(i % 2 === 0 ? supervisor : t.owner, { id: contract.id, expectedVersion: version }),
      ),
    );
    expect(outcomes.filter((o) => o.outcome === 'success')).toEqual([
      expect.objectContaining({ previousPhase: 'plan', phase: 'execute', version: version + 1 }),
    ]);
    const conflict = {
      outcome: 'version_conflict',
      expected: version,
      actual: version + 1,
      currentPhase: 'execute',
    };
    expect(outcomes.filter((o) => o.outcome !== 'success')).toEqual(Array(19).fill(conflict));
    const events = await eventsOf(t, contract.id);
    expect(events.filter((e) => e.type === 'contract.phase_changed')).toHaveLength(1);
  });

  it('decides by the row that it holds: it waits for who holds it, and sees what that one did', async () => {
    const { contract } = await planned(false);
    const { sql } = t.database;
    const { version } = await contractRow(t, contract.id);
    const waiting = () => sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and query ilike '%from contracts%for %update%'`;
    let asked: Promise<PhaseOutcome> | undefined;
    await sql.begin(async (tx) => {
      await tx`select 1 from contracts where id = ${contract.id} for update`;
      asked = change(t.owner, { id: contract.id, expectedVersion: version });
      await expect.poll(async () => (await waiting()).length, { interval: 5 }).toBe(1);
      await tx`update contracts set version = version + 1 where id = ${contract.id}`;
    });
    expect(await asked).toMatchObject({ outcome: 'version_conflict', actual: version + 1 });
  });

  it('without an expected version has one winner too', async () => {
    const { contract, supervisor } = await planned(false);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => change(supervisor, { id: contract.id })),
    );
    const from = outcomes.map((o) => (o.outcome === 'success' ? o.previousPhase : o.outcome));
    expect(from.filter((phase) => phase === 'plan')).toHaveLength(1);
    // The others stand where they want to be, and are told so.
    expect(from.filter((phase) => phase === 'execute')).toHaveLength(19);
    const events = await eventsOf(t, contract.id);
    expect(events.filter((e) => e.type === 'contract.phase_changed')).toHaveLength(1);
  });

  it('names what is missing, and a person may force it', async () => {
    const { contract, supervisor } = await stage(t, { daemon, contract: { phaseGuard: false } });
    const { id } = contract;
    expect(await change(supervisor, { id })).toEqual({
      outcome: 'validation_failed',
      missing: [
        {
          kind: 'deliverable',
          id: 'plan-document',
          reason: 'Deliverable plan-document (Plan document) is not complete.',
        },
      ],
    });
    expect(await change(supervisor, { id, force: true })).toMatchObject({ outcome: 'forbidden' });
    expect(await change(supervisor, { id, phase: 'nowhere' })).toMatchObject({
      outcome: 'validation_failed',
    });
    expect(await change(t.owner, { id, force: true })).toMatchObject({ outcome: 'success' });
  });
});

describe('the guard', () => {
  it('is not passed by an agent, however it asks', async () => {
    const { contract, supervisor } = await planned(true);
    const { id } = contract;
    const asked = await change(supervisor, { id });
    if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
    for (const input of [
      { confirmed: true },
      { confirmationId: asked.confirmationId },
      { confirmed: true, force: true },
    ])
      expect(await change(supervisor, { id, ...input })).toMatchObject({ outcome: 'forbidden' });
    const response = { id: asked.questionId, response: 'Approve' };
    expect((await refusal(answerQuestion(t.engine, by(supervisor), response))).code).toBe(
      'FORBIDDEN',
    );
    await askQuestion(
      t.engine,
      by(supervisor),
      zAskInput.parse({ question: 'May I?', questionType: 'phase_confirmation' }),
    );
    expect(await change(supervisor, { id })).toMatchObject({
      outcome: 'guard_required',
      questionId: asked.questionId,
    });
    expect((await contractRow(t, id)).phase).toBe('plan');
    const audit = await t.database
      .sql`select 1 from audit where action = 'phase.confirm' and outcome = 'refused' and target_id = ${id}`;
    expect(audit).toHaveLength(3);
    expect((await eventsOf(t, id)).filter((e) => e.type === 'contract.guard_refused')).toHaveLength(
      3,
    );
  });

  it('holds whatever verb an agent calls', async () => {
    const scene = await fullScene(t, daemon);
    await deliver(scene.supervisor, scene.ids.contractId);
    for (const verb of verbs) {
      const { policy } = endpoints[verb.name];
      if ('public' in policy || policy.tool === 'none') continue;
      await verb.run(t.engine, by(scene.supervisor), scene.ids).catch(() => undefined);
      await evaluateContract(t.engine, t.system, { contractId: scene.ids.contractId });
      expect((await contractRow(t, scene.ids.contractId)).phase, verb.name).toBe('plan');
    }
  });

  it('holds against plain SQL, with and without a forged yes', async () => {
    const { contract } = await planned(true);
    const { sql } = t.database;
    const { id, version } = { ...(await contractRow(t, contract.id)), id: contract.id };
    const leave = () =>
      sql`update contracts set phase = 'execute', version = version + 1 where id = ${id}`;
    await expect(leave()).rejects.toMatchObject({ constraint_name: 'contracts_phase_guard' });
    const forge = (state: string, at: number, userId: string | null, to: string) => sql`
      insert into confirmations (owner_id, contract_id, kind, from_phase, to_phase, contract_version, digest, state,
                                 requested_by, decided_by_user_id, decided_by_key_id)
      values (${t.ownerId}, ${id}, 'phase', 'plan', ${to}, ${at}, 'x', ${state}, 'agent', ${userId}, ${userId})`;
    await expect(forge('approved', version, null, 'execute')).rejects.toMatchObject({
      constraint_name: 'confirmations_by_person',
    });
    const viewer = await personOf(t, { role: 'viewer' });
    await forge('approved', version, viewer.userId, 'execute');
    await expect(leave()).rejects.toMatchObject({ constraint_name: 'contracts_phase_guard' });
    await forge('approved', version - 1, t.owner.userId, 'execute');
    await forge('approved', version, t.owner.userId, 'review');
    await expect(leave()).rejects.toMatchObject({ constraint_name: 'contracts_phase_guard' });
    await expect(
      sql`insert into phase_changes (owner_id, contract_id, from_phase, to_phase, version, guarded, by_kind)
          values (${t.ownerId}, ${id}, 'plan', 'execute', ${version + 1}, true, 'agent')`,
    ).rejects.toMatchObject({ constraint_name: 'phase_changes_guard' });
  });

  it('is passed by a person at once, or by their answer', async () => {
    const first = await planned(true);
    expect(await change(t.owner, { id: first.contract.id, confirmed: true })).toMatchObject({
      outcome: 'success',
      phase: 'execute',
    });
    const second = await planned(true);
    const asked = await change(second.supervisor, { id: second.contract.id });
    if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
    expect(await getQuestion(t.engine, second.supervisor, { id: asked.questionId })).toMatchObject({
      questionType: 'phase_confirmation',
      confirmation: {
        fromPhase: 'plan',
        toPhase: 'execute',
        deliverables: [{ id: 'plan-document' }],
      },
    });
    await answerQuestion(t.engine, by(t.owner), { id: asked.questionId, response: 'yes' });
    expect(await contractRow(t, second.contract.id)).toMatchObject({
      phase: 'execute',
      status: 'active',
    });
    const third = await planned(true);
    const named = await change(third.supervisor, { id: third.contract.id });
    if (named.outcome !== 'guard_required') throw new Error(named.outcome);
    const { confirmationId } = named;
    expect(await change(t.owner, { id: third.contract.id, confirmationId })).toMatchObject({
      outcome: 'success',
    });
    const again = await change(t.owner, { id: third.contract.id, confirmationId });
    expect(again).toMatchObject({ outcome: 'validation_failed', missing: [{ kind: 'phase' }] });
  });

  it('stays shut when a person sends it back, and the supervisor hears why', async () => {
    const { contract, supervisor } = await planned(true);
    const asked = await change(supervisor, { id: contract.id });
    if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
    await daemon.pull();
    await answerQuestion(t.engine, by(t.owner), {
      id: asked.questionId,
      response: 'The plan misses the tests.',
    });
    expect(await contractRow(t, contract.id)).toMatchObject({ phase: 'plan', status: 'active' });
    const [message] = await daemon.pullOnly('task.message');
    expect(message?.message.text).toContain('The plan misses the tests.');
    expect(await refusal(change(supervisor, { id: contract.id }))).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('The plan misses the tests.'),
    });
    // A person may look at it again as it stands.
    expect(await change(t.owner, { id: contract.id })).toMatchObject({ outcome: 'guard_required' });
  });
});

describe('a confirmation', () => {
  const opened = async () => {
    const scene = await planned(true);
    const asked = await change(scene.supervisor, { id: scene.contract.id });
    if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
    return { ...scene, ...asked, id: scene.contract.id };
  };
  const isVoid = async (asked: Awaited<ReturnType<typeof opened>>): Promise<void> => {
    const { engine } = t;
    expect((await getQuestion(engine, t.owner, { id: asked.questionId })).status).toBe('cancelled');
    const answer = answerQuestion(engine, by(t.owner), {
      id: asked.questionId,
      response: 'Approve',
    });
    expect((await refusal(answer)).code).toBe('CONFIRMATION_VOID');
    const named = change(t.owner, { id: asked.id, confirmationId: asked.confirmationId });
    expect((await refusal(named)).code).toBe('CONFIRMATION_VOID');
    expect(await contractRow(t, asked.id)).toMatchObject({
      phase: 'plan',
      status: 'active',
      waitingFor: null,
    });
  };

  it('is void when a deliverable is shown anew', async () => {
    const asked = await opened();
    await deliver(t.owner, asked.id);
    await isVoid(asked);
  });

  it('is void when the contract is changed', async () => {
    const asked = await opened();
    await patchContract(t.engine, by(t.owner), { id: asked.id, description: 'Another goal' });
    await isVoid(asked);
    const other = await opened();
    await setAutoComplete(t.engine, by(t.owner), { id: other.id, enabled: false });
    await isVoid(other);
  });

  it('is not void when the very same is shown again', async () => {
    const asked = await opened();
    await deliver(asked.supervisor, asked.id);
    expect((await getQuestion(t.engine, t.owner, { id: asked.questionId })).status).toBe('open');
  });

  it('is used once, whoever comes twice at once', async () => {
    const asked = await opened();
    const yes = () =>
      answerQuestion(t.engine, by(t.owner), { id: asked.questionId, response: 'Approve' });
    const phase = () =>
      changePhase(t.engine, by(t.owner), { id: asked.id, phase: 'execute', confirmed: true });
    await Promise.allSettled([yes(), phase(), yes(), phase(), yes(), phase()]);
    expect(await contractRow(t, asked.id)).toMatchObject({ phase: 'execute', status: 'active' });
    const events = await eventsOf(t, asked.id);
    expect(events.filter((e) => e.type === 'contract.phase_changed')).toHaveLength(1);
    expect(events.filter((e) => e.type === 'question.answered')).toHaveLength(1);
    const open = await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: asked.id,
      limit: 10,
    });
    expect(open.items).toEqual([]);
  });
});

describe('a request that was overtaken', () => {
  it('by an unguarded advance is void: nobody waits for its answer', async () => {
    const contract = {
      contractType: 'specification',
      phaseGuard: false,
      autoCompleteEnabled: false,
    } as const;
    const scene = await stage(t, { daemon, contract });
    const { id, phases } = scene.contract;
    const { result } = await askQuestion(
      t.engine,
      by(scene.supervisor),
      zAskInput.parse({ question: 'ok?', questionType: 'phase_confirmation', nonBlocking: true }),
    );
    expect(await change(t.owner, { id, phase: phases[1] ?? '', force: true })).toMatchObject({
      outcome: 'success',
    });
    expect(await contractRow(t, id)).toMatchObject({
      status: 'active',
      phase: phases[1],
      waitingFor: null,
    });
    const asked = await getQuestion(t.engine, t.owner, { id: result.questionId });
    expect(asked.status).toBe('cancelled');
    const told = (await eventsOf(t, id)).filter((e) => e.type === 'question.cancelled');
    expect(told.map((e) => e.data['questionId'])).toEqual([result.questionId]);
  });
});

describe('evaluating', () => {
  it('advances by itself when no guard stands there, and only once', async () => {
    const { contract } = await planned(false);
    const look = () => evaluateContract(t.engine, t.system, { contractId: contract.id });
    const looks = await Promise.all([look(), look(), look()]);
    expect(looks.map((l) => l.result).toSorted()).toEqual(['advanced', 'nothing', 'nothing']);
  });

  it('only tells the owner when it may not advance by itself', async () => {
    const { contract } = await stage(t, {
      daemon,
      contract: { phaseGuard: false, autoCompleteEnabled: false },
    });
    await deliver(t.owner, contract.id);
    for (let i = 0; i < 3; i += 1)
      expect((await evaluateContract(t.engine, t.system, { contractId: contract.id })).result).toBe(
        'nothing',
      );
    expect(
      (await eventsOf(t, contract.id)).filter((e) => e.type === 'contract.ready'),
    ).toHaveLength(1);
    expect((await contractRow(t, contract.id)).phase).toBe('plan');
  });
});
