/** Deliverables count only with evidence that holds, and say at which commit it held. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { changeStatus } from './change-status.ts';
import {
  completeDeliverable,
  settleDeliverable,
  type DeliverableInput,
} from './complete-deliverable.ts';
import { getContract } from './get.ts';
import { phaseReadiness } from './phase-readiness.ts';
import { checkCompletion } from './check-completion.ts';
import { requestMerge } from '../operation/merge.ts';
import type { Principal } from '../principal.ts';
import { sha, TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { done, running, stage, type Stage, orderedId } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
  scene = await stage(t, {
    daemon,
    contract: {
      extraDeliverables: [{ phase: 'plan', id: 'sketch', name: 'Sketch', required: false }],
    },
  });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const input = (
  evidence: DeliverableInput['evidence'],
  deliverableId = 'plan-document',
): DeliverableInput => ({
  id: scene.contract.id,
  deliverableId,
  evidence,
});
const complete = async (caller: Principal, what: DeliverableInput) =>
  (await completeDeliverable(t.engine, by(caller), what)).result;
const settle = async (
  what: DeliverableInput,
  operationIds: string[],
  caller: Principal = scene.supervisor,
) => (await settleDeliverable(t.engine, by(caller), { ...what, operationIds })).result;
/** Begin the checks, and answer each with what the daemon finds. */
const checkedWith = async (
  what: DeliverableInput,
  ...found: Partial<Extract<OperationResult, { kind: 'evidence.check' }>>[]
) => {
  const begun = await complete(scene.supervisor, what);
  if (begun.state !== 'checking') throw new Error('nothing to check');
  for (const [i, id] of begun.operationIds.entries())
    await daemon.finish(id, {
      kind: 'evidence.check',
      holds: true,
      commitSha: sha('c'),
      exitCode: null,
      output: '',
      ...found[i],
    });
  return begun.operationIds;
};
const tests = { kind: 'command' as const, command: ['npm', 'test'], timeoutSeconds: 60 };
const plan = { kind: 'file' as const, path: 'docs/plan.md' };

describe('the id', () => {
  it('must be one that the phase owes', async () => {
    const error = await refusal(complete(scene.supervisor, input([], 'implementation')));
    expect(error).toMatchObject({
      code: 'INVALID_DELIVERABLE',
      details: { validIds: ['plan-document', 'sketch'], phase: 'plan' },
    });
    const elsewhere = await refusal(complete(scene.supervisor, { ...input([]), phase: 'nowhere' }));
    expect(elsewhere).toMatchObject({
      code: 'INVALID_DELIVERABLE',
      details: { validPhases: ['plan', 'execute'] },
    });
    const later = await complete(scene.supervisor, {
      ...input([], 'implementation'),
      phase: 'execute',
    });
    expect(later).toMatchObject({ state: 'done', ready: false, deliverable: { phase: 'execute' } });
    expect(await complete(scene.supervisor, input([], 'sketch'))).toMatchObject({
      deliverable: { required: false, completed: true },
    });
  });

  it('of an earlier phase that counts already is refused with where it counts', async () => {
    await complete(scene.supervisor, { ...input([], 'implementation'), phase: 'execute' });
    const error = await refusal(complete(scene.supervisor, input([], 'implementation')));
    expect(error).toMatchObject({
      code: 'INVALID_DELIVERABLE',
      message: 'implementation counts already, in execute; the contract is in plan',
      details: { validIds: ['plan-document', 'sketch'], phase: 'plan', completedIn: 'execute' },
    });
  });

  it('is of a contract that takes deliverables', async () => {
    const { id } = await newContract(t, { start: false });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
    expect((await refusal(complete(t.owner, { ...input([]), id }))).code).toBe(
      'INVALID_TRANSITION',
    );
  });
});

describe('files and commands', () => {
  it('are checked at the head of the contract’s branch, and named with their commit', async () => {
    const what = input([plan, tests]);
    const ids = await checkedWith(what, {}, { exitCode: 0, output: 'ok', commitSha: sha('d') });
    const checks = await daemon.pullOnly('evidence.check');
    expect(checks).toMatchObject([
      {
        operationId: ids[0],
        branch: `makima/${scene.contract.slug}`,
        path: plan.path,
        command: null,
      },
      { operationId: ids[1], path: null, command: tests.command, timeoutMs: 60_000 },
    ]);
    const before = await getContract(t.engine, t.owner, { id: scene.contract.id });
    const first = await settle(what, ids);
    expect(first).toMatchObject({
      ready: true,
      version: before.version + 1,
      deliverable: {
        completed: true,
        evidence: [
          { kind: 'file', path: plan.path, commit: sha('c') },
          { kind: 'command', argv: tests.command, commit: sha('d'), exitCode: 0 },
        ],
      },
    });
    // The same evidence again changes nothing.
    expect(await settle(what, ids)).toEqual(first);
    const events = (await eventsOf(t, scene.contract.id)).filter(
      (e) => e.type === 'deliverable.completed',
    );
    expect(events.at(-1)?.data).toMatchObject({
      deliverableId: 'plan-document',
      version: first.version,
    });
    expect((await phaseReadiness(t.engine, t.owner, { id: scene.contract.id })).ready).toBe(true);
  });

  it('that do not hold are told one by one, with the end of the output', async () => {
    const what = input([plan, tests]);
    const output = `${'x'.repeat(10_000)}the last line`;
    const ids = await checkedWith(what, { holds: false }, { holds: false, exitCode: 2, output });
    const error = await refusal(settle(what, ids));
    expect(error).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: {
        errors: [
          { pointer: '/evidence/0', detail: 'there is no file docs/plan.md' },
          { pointer: '/evidence/1', detail: '`npm test` exited with 2' },
        ],
        failed: [{ index: 0 }, { index: 1, exitCode: 2, commit: sha('c') }],
      },
    });
    const tail = (error.details['failed'] as { output: string }[])[1]?.output ?? '';
    expect(tail).toHaveLength(4_000);
    expect(tail.endsWith('the last line')).toBe(true);
  });

  it('cannot be settled by the check of something else', async () => {
    const ids = await checkedWith(input([plan]));
    for (const other of [
      input([{ kind: 'file', path: 'other.md' }]),
      input([plan], 'sketch'),
      input([tests]),
    ])
      expect((await refusal(settle(other, ids))).code).toBe('VALIDATION_FAILED');
    const elsewhere = await stage(t, { daemon });
    const theirs = { ...input([plan]), id: elsewhere.contract.id };
    expect((await refusal(settle(theirs, ids, elsewhere.supervisor))).code).toBe('NOT_FOUND');
    const { taskId } = await done(scene);
    const merge = await orderedId(
      requestMerge(t.engine, by(t.owner), { id: taskId, squash: false }),
    );
    expect((await refusal(settle(input([plan]), [merge]))).code).toBe('NOT_FOUND');
  });

  it('are waited for, and a check that failed says why', async () => {
    const what = input([plan]);
    const begun = await complete(scene.supervisor, what);
    if (begun.state !== 'checking') throw new Error('nothing to check');
    expect(await refusal(settle(what, begun.operationIds))).toMatchObject({
      code: 'OPERATION_TIMED_OUT',
      details: { operationIds: begun.operationIds },
    });
    const [operationId = ''] = begun.operationIds;
    await daemon.report({
      kind: 'operation.finished',
      operationId,
      ok: false,
      result: null,
      error: { code: 'GIT_FAILED', message: 'the store is broken' },
    });
    expect((await refusal(settle(what, begun.operationIds))).message).toContain(
      'the store is broken',
    );
  });

  it('need a machine that has the code', async () => {
    const { id } = await newContract(t, { start: false });
    expect((await refusal(complete(t.owner, { ...input([plan]), id }))).code).toBe('NO_DAEMON');
  });
});

describe('merged work', () => {
  it('is seen in the rows', async () => {
    const task = await done(scene, { name: 'to merge' });
    const what = input([{ kind: 'merged', taskId: task.taskId }], 'sketch');
    expect((await refusal(complete(scene.supervisor, what))).message).toContain(
      'task to merge is done, not merged',
    );
    const operationId = await orderedId(
      requestMerge(t.engine, by(scene.supervisor), { id: task.taskId, squash: false }),
    );
    await daemon.finish(operationId, {
      kind: 'branch.merge',
      success: true,
      message: '',
      commitSha: sha('e'),
      conflicts: [],
    });
    const [row] = await t.database.sql`select branch from tasks where id = ${task.taskId}`;
    expect(await complete(scene.supervisor, what)).toMatchObject({
      deliverable: { evidence: [{ kind: 'merge', branch: row?.['branch'], commit: sha('b') }] },
    });
    const other = await stage(t, { daemon });
    const foreign = await done(other);
    const error = await refusal(
      complete(scene.supervisor, input([{ kind: 'merged', taskId: foreign.taskId }])),
    );
    expect(error.code).toBe('NOT_FOUND');
  });
});

describe('a word', () => {
  it('counts from a person only', async () => {
    const what = input([{ kind: 'word', text: 'I read it.' }]);
    const error = await refusal(complete(scene.supervisor, what));
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.message).toContain('only from a person');
    expect(await complete(t.owner, what)).toMatchObject({
      deliverable: {
        evidence: [{ kind: 'person', personId: t.owner.userId, statement: 'I read it.' }],
      },
    });
    // Mixed with a check, the word is refused before anything is asked of a machine.
    await daemon.pull();
    await refusal(complete(scene.supervisor, input([plan, { kind: 'word', text: 'trust me' }])));
    expect(await daemon.pullOnly('evidence.check')).toEqual([]);
  });
});

describe('completion', () => {
  it('is foretold by the same gate', async () => {
    const play = await stage(t, { daemon, contract: { phaseGuard: false } });
    const { id } = play.contract;
    const look = () => checkCompletion(t.engine, play.supervisor, { id });
    expect(await look()).toMatchObject({ ready: false, would_complete: false });
    expect((await look()).missing[0]).toContain('not its last phase');
    await complete(t.owner, { id, deliverableId: 'plan-document', evidence: [] });
    await runJobs(t);
    const task = await running(play, { name: 'late one' });
    expect((await look()).missing).toEqual([
      'Deliverable implementation (Implementation) is not complete.',
      "Task 'late one' is running.",
    ]);
    await daemon.ended(task);
    await complete(t.owner, { id, deliverableId: 'implementation', evidence: [] });
    expect(await look()).toEqual({ ready: true, would_complete: true, missing: [] });
    await runJobs(t);
    expect((await getContract(t.engine, t.owner, { id })).status).toBe('completing');
    for (const stop of await daemon.pullOnly('task.stop'))
      await daemon.ended(stop, { outcome: 'stopped' });
  });
});
