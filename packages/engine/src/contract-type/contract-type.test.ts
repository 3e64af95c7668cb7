/** Types that people define, the versions that contracts keep, and the gates that only they can ask for. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zContractTypeInput, type ContractTypeInput } from '@makima/contracts/entity/contract-type';
import type { z } from 'zod';
import { changePhase } from '../contract/change-phase.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { evaluateContract } from '../contract/evaluate.ts';
import { getContract } from '../contract/get.ts';
import { patchContract } from '../contract/patch.ts';
import { phaseReadiness } from '../contract/phase-readiness.ts';
import { requestMerge } from '../operation/merge.ts';
import { sha, TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, done, running, stage, type Stage } from '../test-stage.ts';
import { getContractType, listContractTypes } from './get.ts';
import { putContractType } from './put.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ limits: { contractTypesPerOwnerMax: 30 } });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

type Phases = z.input<typeof zContractTypeInput>['phases'];
const owed = (id: string) => ({ id, name: id });
const input = (name: string, phases: Phases): ContractTypeInput =>
  zContractTypeInput.parse({ name, phases });
const put = async (name: string, phases: Phases) =>
  (await putContractType(t.engine, by(t.owner), input(name, phases))).result;
const fresh = (): string => `type-${randomUUID().slice(0, 8)}`;

/** A contract of a new type of these phases, unguarded, with a supervisor at work. */
async function scene(phases: Phases): Promise<Stage> {
  const { name } = await put(fresh(), phases);
  return stage(t, { daemon, contract: { contractType: name, phaseGuard: false } });
}
const word = (of: Stage, deliverableId: string) =>
  completeDeliverable(t.engine, by(t.owner), {
    id: of.contract.id,
    deliverableId,
    evidence: [{ kind: 'word', text: 'seen' }],
  });
const ready = (of: Stage) => phaseReadiness(t.engine, t.owner, { id: of.contract.id });
const advance = async (of: Stage, phase: string) =>
  (await changePhase(t.engine, by(of.supervisor), { id: of.contract.id, phase })).result;

describe('a type of people’s own', () => {
  it('has versions, of which running contracts keep theirs', async () => {
    const name = fresh();
    expect(await put(name, [{ name: 'one', deliverables: [owed('a')] }])).toMatchObject({
      name,
      version: 1,
      builtin: false,
      createdBy: t.owner.name,
      phases: [{ name: 'one', terminal: true, gate: { tasks: 'none' } }],
    });
    const old = await newContract(t, { contractType: name, start: false });
    // The same again is no other version.
    expect((await put(name, [{ name: 'one', deliverables: [owed('a')] }])).version).toBe(1);
    expect((await put(name, [{ name: 'one' }, { name: 'two' }])).version).toBe(2);
    const next = await newContract(t, { contractType: name, start: false });
    expect([old.phases, next.phases]).toEqual([['one'], ['one', 'two']]);
    const seen = await getContract(t.engine, t.owner, { id: old.id });
    expect(seen.deliverables.map(({ id }) => id)).toEqual(['a']);
    // And what it owes may still be delivered, which the newest version does not know.
    const deliver = ({ id }: { id: string }) =>
      completeDeliverable(t.engine, by(t.owner), {
        id,
        deliverableId: 'a',
        evidence: [{ kind: 'word', text: 'seen' }],
      });
    expect((await deliver(old)).result).toMatchObject({
      deliverable: { id: 'a', completed: true },
    });
    expect((await refusal(deliver(next))).code).toBe('INVALID_DELIVERABLE');
    expect((await getContractType(t.engine, t.owner, { name })).version).toBe(2);
    expect((await getContractType(t.engine, t.owner, { name, version: 1 })).version).toBe(1);
    const missing = getContractType(t.engine, t.owner, { name, version: 3 });
    expect(await refusal(missing)).toMatchObject({ code: 'NOT_FOUND', fix: 'makima types list' });
    const rewritten = t.database.sql`update contract_types set created_by = 'x'`;
    await expect(rewritten).rejects.toMatchObject({ code: '23514' });
  });

  it('is put by many at once, each version once', async () => {
    const name = fresh();
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, i) => put(name, [{ name: `p-${i}` }])),
    );
    expect(made.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it('is seen by its owner only, beside those that come with makima', async () => {
    const name = fresh();
    await put(name, [{ name: 'one' }]);
    const mine = (await listContractTypes(t.engine, t.owner)).items;
    expect(mine.slice(0, 2).map((type) => [type.name, type.builtin])).toEqual([
      ['simple', true],
      ['specification', true],
    ]);
    expect(mine.map((type) => type.name)).toContain(name);
    const other = await stranger(t);
    const theirs = (await listContractTypes(t.engine, other)).items;
    expect(theirs.map((type) => type.name)).toEqual(['simple', 'specification']);
    const foreign = getContractType(t.engine, other, { name });
    expect((await refusal(foreign)).code).toBe('NOT_FOUND');
  });

  it('is refused when nothing can be made of it, with the reason', async () => {
    expect(await refusal(put('simple', [{ name: 'one' }]))).toMatchObject({ code: 'CONFLICT' });
    expect(await refusal(put(fresh(), [{ name: 'one' }, { name: 'one' }]))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: "Phase 'one' appears twice.",
    });
    const unknown = await refusal(newContract(t, { contractType: 'nobodys' }));
    expect(unknown.code).toBe('VALIDATION_FAILED');
    const [{ detail }] = unknown.details['errors'] as [{ detail: string }];
    expect(detail).toContain('one of: simple, specification, type-');
    const { items } = await listContractTypes(t.engine, t.owner);
    for (let n = items.length - 2; n < 30; n += 1) await put(fresh(), [{ name: 'one' }]);
    expect(await refusal(put(fresh(), [{ name: 'one' }]))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await t.database
      .sql`delete from contract_types where name not in (select contract_type->>'name' from contracts)`;
  });
});

describe('Gate with task requirements', () => {
  const gates = {
    none: 'none',
    all: 'all_complete',
    atLeast: { atLeast: 2 },
    named: { named: ['first'] },
  } satisfies Record<string, NonNullable<Phases[number]['gate']>['tasks']>;
  it.each(Object.entries(gates))('%s', async (kind, tasks) => {
    const of = await scene([
      { name: 'work', gate: { tasks, autoAdvance: false } },
      { name: 'end' },
    ]);
    const missing = async () => (await ready(of)).missing.map(({ reason }) => reason);
    const atFirst = {
      none: [],
      all: [],
      atLeast: ['2 tasks must be complete, so far 0.'],
      named: ["Task 'first' was never spawned."],
    };
    expect(await missing()).toEqual(atFirst[kind as keyof typeof gates]);
    const first = await running(of, { name: 'first' });
    await running(of, { name: 'second' });
    const underWay = {
      none: [],
      all: ["Task 'first' is running.", "Task 'second' is running."],
      atLeast: ['2 tasks must be complete, so far 0.'],
      named: ["Task 'first' is running."],
    };
    expect(await missing()).toEqual(underWay[kind as keyof typeof gates]);
    await daemon.ended(first);
    const oneDone = { none: [], all: ["Task 'second' is running."], named: [] };
    expect(await missing()).toEqual(
      kind === 'atLeast'
        ? ['2 tasks must be complete, so far 1.']
        : oneDone[kind as keyof typeof oneDone],
    );
    const outcome = await advance(of, 'end');
    expect(outcome.outcome).toBe((await missing()).length === 0 ? 'success' : 'validation_failed');
  });

  it('Mixed deliverable and task requirements: both must be met', async () => {
    const of = await scene([
      { name: 'work', deliverables: [owed('report')], gate: { tasks: 'all_complete' } },
      { name: 'end' },
    ]);
    const task = await running(of, { name: 'only' });
    expect((await ready(of)).missing.map(({ kind, id }) => [kind, id])).toEqual([
      ['deliverable', 'report'],
      ['task', 'only'],
    ]);
    await word(of, 'report');
    expect((await ready(of)).missing.map(({ kind }) => kind)).toEqual(['task']);
    await daemon.ended(task);
    await runJobs(t);
    expect((await contractRow(t, of.contract.id)).phase).toBe('end');
  });

  it('a phase that asks for nothing has no gate, and is left by hand', async () => {
    const of = await scene([{ name: 'talk' }, { name: 'end', deliverables: [owed('a')] }]);
    expect(await ready(of)).toMatchObject({ ready: true, no_gate: true, missing: [] });
    await runJobs(t);
    expect((await contractRow(t, of.contract.id)).phase).toBe('talk');
    expect(await advance(of, 'end')).toMatchObject({ outcome: 'success' });
    expect(await ready(of)).toMatchObject({ ready: false, no_gate: false });
  });
});

it('a gate that does not advance by itself tells that it is met, and nothing moves', async () => {
  const gate = { autoAdvance: false };
  const of = await scene([{ name: 'one', deliverables: [owed('a')], gate }, { name: 'two' }]);
  await word(of, 'a');
  await runJobs(t);
  expect((await contractRow(t, of.contract.id)).phase).toBe('one');
  expect(await ready(of)).toMatchObject({ ready: true, auto_advance_enabled: false });
  const types = (await eventsOf(t, of.contract.id)).map(({ type }) => type);
  expect(types.filter((type) => type === 'contract.ready')).toHaveLength(1);
});

describe('a validator', () => {
  const validator = ['make', 'check'];
  const gate = { validator, autoAdvance: false };
  const built = () => scene([{ name: 'build', gate }, { name: 'end' }]);
  const phases: Phases = [
    { name: 'build', deliverables: [owed('a')], gate: { validator, validatorTimeoutSeconds: 7 } },
    { name: 'end', deliverables: [owed('b')] },
  ];
  const checks = () => daemon.pullOnly('evidence.check');
  const verdict = (operationId: string, exitCode: number, commit = sha('1'), output = '') =>
    daemon.finish(operationId, {
      kind: 'evidence.check',
      holds: exitCode === 0,
      commitSha: commit,
      exitCode,
      output,
    });
  /** Everything else is there, and the machine was told to run it. */
  async function asked(): Promise<{ of: Stage; operationId: string }> {
    const of = await scene(phases);
    await runJobs(t);
    expect(await checks()).toEqual([]);
    await word(of, 'a');
    await runJobs(t);
    const [check] = await checks();
    expect(check).toMatchObject({ command: validator, path: null, timeoutMs: 7_000 });
    return { of, operationId: check?.operationId ?? '' };
  }
  const phase = async (of: Stage) => (await contractRow(t, of.contract.id)).phase;

  it('is run when nothing else is missing, once; its yes opens the gate', async () => {
    const { of, operationId } = await asked();
    for (let i = 0; i < 3; i += 1)
      expect(
        (await evaluateContract(t.engine, t.system, { contractId: of.contract.id })).result,
      ).toBe('validating');
    expect(await checks()).toEqual([]);
    const running = 'Validator `make check` is running.';
    expect(await ready(of)).toMatchObject({ ready: false, missing: [{ reason: running }] });
    expect(await advance(of, 'end')).toMatchObject({ outcome: 'validation_failed' });
    await verdict(operationId, 0);
    await runJobs(t);
    expect(await phase(of)).toBe('end');
  });

  it('keeps the gate shut when it fails, and is run again for who has seen that', async () => {
    const { of, operationId } = await asked();
    await verdict(operationId, 3, sha('1'), 'one\ntwo tests failed\n');
    await runJobs(t);
    const said = 'Validator `make check` exited with 3: one\ntwo tests failed';
    expect((await ready(of)).missing).toEqual([
      { kind: 'validator', id: 'validator', reason: said },
    ]);
    expect(await checks()).toEqual([]);
    // The first call shows what it said, the next has it run again.
    expect(await advance(of, 'end')).toMatchObject({ missing: [{ reason: said }] });
    expect(await checks()).toEqual([]);
    expect(await advance(of, 'end')).toMatchObject({
      missing: [{ reason: 'Validator `make check` is running.' }],
    });
    const [again] = await checks();
    await verdict(again?.operationId ?? '', 0);
    await runJobs(t);
    expect(await phase(of)).toBe('end');
  });

  it('is run again by itself when the contract has changed since it failed', async () => {
    const { of, operationId } = await asked();
    await verdict(operationId, 1);
    await runJobs(t);
    await completeDeliverable(t.engine, by(t.owner), {
      id: of.contract.id,
      deliverableId: 'a',
      evidence: [{ kind: 'word', text: 'mended' }],
    });
    await runJobs(t);
    expect(await checks()).toHaveLength(1);
  });

  it('is run on the machine that has the supervisor now, whatever the former one owes', async () => {
    const { of, operationId } = await asked();
    const other = await TestDaemon.join(t);
    await t.database
      .sql`update tasks set home_daemon_id = ${other.id} where id = ${of.supervisorTaskId}`;
    const evaluate = () => evaluateContract(t.engine, t.system, { contractId: of.contract.id });
    for (let i = 0; i < 2; i += 1) expect((await evaluate()).result).toBe('validating');
    const [check, ...more] = await other.pullOnly('evidence.check');
    expect([check?.command, more]).toEqual([validator, []]);
    // The word of the former one comes late, and counts for nothing.
    await verdict(operationId, 0);
    await runJobs(t);
    expect(await phase(of)).toBe('build');
    await other.finish(check?.operationId ?? '', {
      kind: 'evidence.check',
      holds: true,
      commitSha: sha('1'),
      exitCode: 0,
      output: '',
    });
    await runJobs(t);
    expect(await phase(of)).toBe('end');
  });

  it('that can never pass is left out by a person, for this contract alone', async () => {
    const { of, operationId } = await asked();
    const { id } = of.contract;
    await verdict(operationId, 1, sha('1'), 'no rule to make check');
    await runJobs(t);
    const skip = (call: Parameters<typeof patchContract>[1]) =>
      patchContract(t.engine, call, { id, skipValidator: true });
    expect((await refusal(skip(by(of.supervisor)))).code).toBe('FORBIDDEN');
    await skip(by(t.owner));
    await runJobs(t);
    expect(await phase(of)).toBe('end');
    expect(await refusal(skip(by(t.owner)))).toMatchObject({ code: 'INVALID_TRANSITION' });
    const name = of.contract.contractType;
    const type = await getContractType(t.engine, t.owner, { name });
    expect(type.phases[0]?.gate.validator).toEqual(validator);
  });

  it('that could not be run says why', async () => {
    const { of, operationId } = await asked();
    await daemon.report({
      kind: 'operation.finished',
      operationId,
      ok: false,
      result: null,
      error: { code: 'GIT_FAILED', message: 'the branch is gone' },
    });
    await runJobs(t);
    expect((await ready(of)).missing[0]?.reason).toContain('could not be run: ');
    expect((await ready(of)).missing[0]?.reason).toContain('the branch is gone');
    expect(await phase(of)).toBe('build');
  });

  it('speaks of a commit: a merge after its yes has it run again', async () => {
    const of = await built();
    const task = await done(of);
    const [check] = await checks();
    await verdict(check?.operationId ?? '', 0);
    await runJobs(t);
    expect(await ready(of)).toMatchObject({ ready: true });
    const merge = await requestMerge(t.engine, by(t.owner), { id: task.taskId, squash: false });
    await daemon.finish(merge.result.operationId ?? '', {
      kind: 'branch.merge',
      success: true,
      message: 'Merged',
      commitSha: sha('2'),
      conflicts: [],
      moved: { from: sha('1'), changed: ['x'], complete: true },
    });
    expect((await ready(of)).missing[0]?.reason).toBe('Validator `make check` has not run yet.');
    await runJobs(t);
    const [again] = await checks();
    await verdict(again?.operationId ?? '', 0, sha('2'));
    expect(await ready(of)).toMatchObject({ ready: true });
  });

  it('holds for no commit that the branch left behind long ago', async () => {
    const of = await built();
    const { taskId } = await done(of);
    const [check] = await checks();
    await verdict(check?.operationId ?? '', 0, sha('a'));
    expect(await ready(of)).toMatchObject({ ready: true });
    await t.database.sql`
      with merges as (insert into operations (id, owner_id, contract_id, task_id, kind, request, requested_by)
        select gen_random_uuid(), ${t.ownerId}, ${of.contract.id}, ${taskId}, 'branch.merge', '{}', '' from generate_series(1, 60) returning id)
      insert into branch_moves (contract_id, owner_id, n, operation_id, from_sha, to_sha, changed, complete) select ${of.contract.id}, ${t.ownerId}, n, id, case n when 1 then ${sha('a')} else lpad(n::text, 40, '0') end,
             lpad((n + 1)::text, 40, '0'), '{x}', true from (select id, row_number() over () as n from merges) merge`;
    expect((await ready(of)).missing[0]?.reason).toBe('Validator `make check` has not run yet.');
    expect(await advance(of, 'end')).toMatchObject({ outcome: 'validation_failed' });
    // Asked for, it is run again, at a commit that no move names, as after work outside of merges: it holds.
    const [again] = await checks();
    await verdict(again?.operationId ?? '', 0, sha('b'));
    expect(await ready(of)).toMatchObject({ ready: true });
  });
});
