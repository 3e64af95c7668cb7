/** What a merge leaves behind: deliverables that it touched are stale until they are shown again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import { requestMerge } from '../operation/merge.ts';
import { answerQuestion } from '../question/answer.ts';
import { inbox } from '../question/inbox.ts';
import { sha, TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, done, stage, type Stage } from '../test-stage.ts';
import { changePhase } from './change-phase.ts';
import { checkCompletion } from './check-completion.ts';
import {
  completeDeliverable,
  settleDeliverable,
  type DeliverableInput,
} from './complete-deliverable.ts';
import { getContract } from './get.ts';
import { phaseReadiness } from './phase-readiness.ts';
import { whyContract } from './why.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ settings: { autoAdvancePhases: false } });
  daemon = await TestDaemon.join(t, { slots: 1_000 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const scene = (contract: Partial<ContractInput> = {}): Promise<Stage> =>
  stage(t, { daemon, contract });

type Evidence = DeliverableInput['evidence'];
const plan: Evidence = [{ kind: 'file', path: 'PLAN.md' }];
const tests: Evidence = [{ kind: 'command', command: ['npm', 'test'], timeoutSeconds: 9 }];

/** Asked for, and the machine has found that it holds at this commit. */
async function begun(
  { contract, supervisor }: Stage,
  evidence: Evidence,
  commit: string,
  deliverableId = 'plan-document',
) {
  const input = { id: contract.id, deliverableId, evidence };
  const { result } = await completeDeliverable(t.engine, by(supervisor), input);
  if (result.state !== 'checking') throw new Error('nothing was to be checked');
  for (const id of result.operationIds) {
    const exitCode = evidence.some(({ kind }) => kind === 'command') ? 0 : null;
    const check = { holds: true, commitSha: commit, exitCode, output: '' };
    await daemon.finish(id, { kind: 'evidence.check', ...check });
  }
  const { operationIds } = result;
  const settle = () => settleDeliverable(t.engine, by(supervisor), { ...input, operationIds });
  return async () => (await settle()).result;
}
const shown = async (...args: Parameters<typeof begun>) => (await begun(...args))();

/** Ordered by a person, who needs nobody's leave. */
async function ordered(taskId: string, targetBranch?: string, squash = false): Promise<string> {
  const { result } = await requestMerge(t.engine, by(t.owner), {
    id: taskId,
    squash,
    targetBranch,
  });
  if (result.operationId === null) throw new Error('the merge was not ordered');
  return result.operationId;
}

interface Move {
  readonly from: string;
  readonly onto?: string;
  readonly to: string;
  readonly changed: string[];
  readonly complete?: boolean;
}

/** A task is merged into the contract's branch, which moves so. */
async function merged(
  of: Stage,
  move: Move | null,
  targetBranch?: string,
  input: Parameters<typeof done>[1] = {},
): Promise<string> {
  const task = await done(of, input);
  const operationId = await ordered(task.taskId, targetBranch);
  await daemon.finish(operationId, resultOf(move));
  return operationId;
}

const resultOf = (move: Move | null) => ({
  kind: 'branch.merge' as const,
  success: true,
  message: 'Merged',
  commitSha: move?.to ?? sha('1'),
  conflicts: [],
  ...(move === null ? {} : { moved: movedOf(move) }),
});

const movedOf = ({ from, onto, changed, complete = true }: Move) => ({
  from,
  changed,
  complete,
  ...(onto === undefined ? {} : { onto }),
});

const deliverable = async ({ contract }: Stage, id = 'plan-document') =>
  (await getContract(t.engine, t.owner, { id: contract.id })).deliverables.find((d) => d.id === id);
const ready = async ({ contract }: Stage) => phaseReadiness(t.engine, t.owner, { id: contract.id });
const typesOf = async ({ contract }: Stage) =>
  (await eventsOf(t, contract.id)).map(({ type }) => type);
const [one, two, three] = [sha('1'), sha('2'), sha('3')];

describe('a file that shows a deliverable', () => {
  it('holds while merges do not touch it', async () => {
    const of = await scene();
    await shown(of, plan, one);
    const { version } = await contractRow(t, of.contract.id);
    await merged(of, { from: one, to: two, changed: ['src/a.ts', 'docs/PLAN.md'] });
    await merged(of, { from: two, to: three, changed: ['src/b.ts'] });
    expect(await deliverable(of)).toMatchObject({
      completed: true,
      stale: false,
      staleSince: null,
    });
    expect(await ready(of)).toMatchObject({ ready: true, missing: [] });
    expect((await contractRow(t, of.contract.id)).version).toBe(version);
    expect(await typesOf(of)).not.toContain('deliverable.staled');
  });

  it('is stale when one did, everywhere, until it is shown again', async () => {
    const of = await scene();
    const { id } = of.contract;
    await shown(of, plan, one);
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] });
    const reason = `PLAN.md was changed after ${one.slice(0, 10)}`;
    expect(await deliverable(of)).toMatchObject({
      completed: true,
      stale: true,
      staleSince: expect.any(String),
      staleReason: reason,
    });
    const sentence = `Deliverable plan-document is stale: ${reason}; show it again.`;
    expect(await ready(of)).toMatchObject({
      ready: false,
      missing: [{ kind: 'deliverable', id: 'plan-document', reason: sentence }],
    });
    expect((await checkCompletion(t.engine, t.owner, { id })).missing).toContain(sentence);
    const [event] = (await eventsOf(t, id)).filter(({ type }) => type === 'deliverable.staled');
    expect(event?.data).toEqual({
      deliverableId: 'plan-document',
      phase: 'plan',
      reason,
      commitSha: two,
    });
    await daemon.report({
      kind: 'task.turn_ended',
      taskId: of.supervisorTaskId,
      attempt: 1,
      outcome: 'completed',
      text: 'I wait.',
      error: null,
      usage: null,
    });
    expect(JSON.stringify(await whyContract(t.engine, t.owner, { id }))).toContain(sentence);
    const again = await shown(of, plan, two);
    expect(again).toMatchObject({ ready: true, deliverable: { completed: true, stale: false } });
    expect(await deliverable(of)).toMatchObject({ stale: false, staleReason: null });
  });

  it('is stale once, however often it is touched', async () => {
    const of = await scene();
    await shown(of, plan, one);
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] });
    const before = await deliverable(of);
    await merged(of, { from: two, to: three, changed: ['PLAN.md'] });
    expect(await deliverable(of)).toEqual(before);
    expect((await typesOf(of)).filter((type) => type === 'deliverable.staled')).toHaveLength(1);
  });

  it('is stale when it cannot be told whether it was touched', async () => {
    const of = await scene();
    await shown(of, plan, one);
    await merged(of, { from: one, to: two, changed: ['src/a.ts'], complete: false });
    expect((await deliverable(of))?.staleReason).toContain('too much was changed');
  });

  it('is watched for by the merge, so that it can be told', async () => {
    const of = await scene();
    await shown(of, [{ kind: 'file', path: './docs//PLAN.md' }], one);
    const task = await done(of);
    await daemon.pull();
    await requestMerge(t.engine, by(t.owner), { id: task.taskId, squash: false });
    expect(await daemon.pullOnly('branch.merge')).toMatchObject([{ watch: ['docs/PLAN.md'] }]);
  });
});

describe('what was looked at while the branch moved', () => {
  it('counts when the merge did not touch it, and is stale when it did', async () => {
    const of = await scene();
    await merged(of, { from: sha('0'), to: one, changed: ['PLAN.md'] });
    const untouched = await begun(of, plan, one);
    await merged(of, { from: one, to: two, changed: ['src/a.ts'] });
    expect(await untouched()).toMatchObject({ ready: true, deliverable: { stale: false } });
    const touched = await begun(of, plan, two);
    await merged(of, { from: two, to: three, changed: ['PLAN.md'] });
    expect(await touched()).toMatchObject({
      ready: false,
      deliverable: { completed: true, stale: true },
    });
  });

  it('beyond what was told of, is stale when it cannot be told what came after it', async () => {
    const of = await scene();
    await merged(of, { from: one, to: two, changed: ['src/a.ts'] });
    const [early, late] = [await begun(of, plan, sha('9')), await begun(of, plan, sha('9'))];
    expect(await early()).toMatchObject({ deliverable: { stale: false } });
    await merged(of, { from: sha('9'), onto: two, to: three, changed: ['PLAN.md'] });
    expect(await late()).toMatchObject({ ready: false, deliverable: { stale: true } });
  });

  it('after the move speaks of what is, although the word of the move came later', async () => {
    const of = await scene();
    await shown(of, plan, two);
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] });
    expect(await deliverable(of)).toMatchObject({ stale: false });
  });
});

describe('a command that shows a deliverable', () => {
  it('is stale as soon as anything is different, and not when nothing is', async () => {
    const of = await scene();
    await shown(of, tests, one);
    await merged(of, { from: one, to: two, changed: [] });
    expect(await deliverable(of)).toMatchObject({ stale: false });
    await merged(of, { from: two, to: three, changed: ['README.md'] });
    expect(await deliverable(of)).toMatchObject({
      stale: true,
      staleReason: `\`npm test\` was not run again after ${one.slice(0, 10)}`,
    });
  });
});

describe('merged work', () => {
  it('stays in the branch, whatever comes after it', async () => {
    const of = await scene();
    const task = await done(of, { name: 'first' });
    await daemon.finish(
      await ordered(task.taskId),
      resultOf({ from: sha('0'), to: one, changed: ['PLAN.md'] }),
    );
    await completeDeliverable(t.engine, by(of.supervisor), {
      id: of.contract.id,
      deliverableId: 'plan-document',
      evidence: [{ kind: 'merged', taskId: task.taskId }],
    });
    await merged(of, { from: one, to: two, changed: ['PLAN.md'], complete: false });
    expect(await deliverable(of)).toMatchObject({ completed: true, stale: false });
  });
});

describe('a move', () => {
  it('of another branch, or none, or told by an older machine, touches nothing', async () => {
    const of = await scene();
    await shown(of, plan, one);
    await merged(of, null);
    await merged(of, { from: one, to: one, changed: ['PLAN.md'] });
    const beside = `makima/${of.contract.slug}.beside`;
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] }, beside);
    expect(await deliverable(of)).toMatchObject({ stale: false });
  });

  it('in another repository of the contract has its own head, and touches nothing that is shown', async () => {
    const other = '/srv/repositories/other';
    const of = await scene({
      repositories: [{ localPath: '/srv/repositories/example' }, { localPath: other }],
    });
    await merged(of, { from: sha('0'), to: one, changed: ['src/a.ts'] });
    await shown(of, plan, one);
    const there = { repositoryUrl: other };
    await merged(of, { from: sha('7'), to: sha('8'), changed: ['PLAN.md'] }, undefined, there);
    await shown(of, tests, one, 'plan-document');
    expect(await deliverable(of)).toMatchObject({ stale: false });
    await daemon.pull();
    const last = await done(of, there);
    await ordered(last.taskId);
    expect(await daemon.pullOnly('branch.merge')).toMatchObject([
      { contractHead: { commitSha: sha('8') }, repository: { path: other } },
    ]);
  });

  it('of a copy that lacked what was merged before is refused, and its merge with it', async () => {
    const of = await scene();
    await merged(of, { from: one, to: two, changed: ['src/a.ts'] });
    await shown(of, plan, two);
    const operationId = await merged(of, { from: one, to: three, changed: ['PLAN.md'] });
    expect(await deliverable(of)).toMatchObject({ stale: false });
    const [row] = await t.database.sql`
      select o.state, o.error, t.status from operations o join tasks t on t.id = o.task_id where o.id = ${operationId}`;
    expect(row).toMatchObject({
      state: 'failed',
      error: { code: 'CONFLICT', retryable: true, details: { reason: 'branch_moved' } },
      status: 'done',
    });
  });

  it('to where the branch stands is none: its work was merged before', async () => {
    const of = await scene();
    const { taskId } = await done(of);
    const [first, again] = [await ordered(taskId), await ordered(taskId, undefined, true)];
    await daemon.finish(first, resultOf({ from: one, to: two, changed: ['src/a.ts'] }));
    await daemon.finish(again, resultOf({ from: one, onto: one, to: two, changed: ['src/a.ts'] }));
    const rows = await t.database.sql`
      select o.state || coalesce(' ' || m.n, '') as told from operations o
        left join branch_moves m on m.operation_id = o.id where o.id in (${first}, ${again}) order by o.id`;
    expect(rows.map(({ told }) => told)).toEqual(['done 1', 'done']);
  });

  it('of a copy that had more than it was told of may have changed anything', async () => {
    const of = await scene();
    await merged(of, { from: one, to: two, changed: ['src/a.ts'] });
    await shown(of, plan, two);
    await merged(of, { from: sha('9'), onto: two, to: three, changed: ['src/b.ts'] });
    expect((await deliverable(of))?.staleReason).toContain('too much was changed');
  });

  it('that comes twice counts once, and its files are kept with it alone', async () => {
    const of = await scene();
    await shown(of, plan, one);
    const move = { from: one, to: two, changed: ['PLAN.md'] };
    const operationId = await merged(of, move);
    await daemon.finish(operationId, resultOf(move));
    const rows = await t.database.sql`
      select n, from_sha, to_sha, changed, complete from branch_moves where contract_id = ${of.contract.id}`;
    expect(rows).toEqual([
      { n: 1, fromSha: one, toSha: two, changed: ['PLAN.md'], complete: true },
    ]);
    const [row] = await t.database.sql`select result from operations where id = ${operationId}`;
    expect(row?.['result']).not.toHaveProperty('moved');
  });

  it('reported among others of several contracts is applied in one frame', async () => {
    const [a, b] = [await scene(), await scene()];
    const finish = async (of: Stage) => {
      await shown(of, plan, one);
      const task = await done(of);
      return {
        kind: 'operation.finished' as const,
        operationId: await ordered(task.taskId),
        ok: true,
        result: resultOf({ from: one, to: two, changed: ['PLAN.md'] }),
        error: null,
      };
    };
    await daemon.report(await finish(b), await finish(a));
    for (const of of [a, b]) expect(await deliverable(of)).toMatchObject({ stale: true });
  });
});

describe('a guarded phase', () => {
  it('is not left on what was: the request that showed it is void', async () => {
    const of = await scene({ phaseGuard: ['plan'] });
    const { id } = of.contract;
    await shown(of, plan, one);
    const asked = await changePhase(t.engine, by(of.supervisor), { id, phase: 'execute' });
    expect(asked.result.outcome).toBe('guard_required');
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] });
    await runJobs(t);
    const mine = (await inbox(t.engine, t.owner)).items.filter((item) => item.contractId === id);
    expect(mine).toEqual([]);
    if (asked.result.outcome !== 'guard_required') return;
    const { questionId } = asked.result;
    const late = answerQuestion(t.engine, by(t.owner), { id: questionId, response: 'Approve' });
    expect((await refusal(late)).code).toBe('CONFIRMATION_VOID');
    const again = await changePhase(t.engine, by(of.supervisor), { id, phase: 'execute' });
    expect(again.result).toMatchObject({ outcome: 'validation_failed' });
    await shown(of, plan, two);
    const anew = await changePhase(t.engine, by(of.supervisor), { id, phase: 'execute' });
    expect(anew.result).toMatchObject({
      outcome: 'guard_required',
      deliverables: [{ id: 'plan-document', evidence: [{ path: 'PLAN.md', commit: two }] }],
    });
  });

  it('that was left stays left: its stale deliverable is shown, and holds nobody up', async () => {
    const of = await scene({ phaseGuard: false });
    const { id } = of.contract;
    await shown(of, plan, one);
    await changePhase(t.engine, by(of.supervisor), { id, phase: 'execute' });
    const { version } = await contractRow(t, id);
    await merged(of, { from: one, to: two, changed: ['PLAN.md'] });
    expect(await deliverable(of)).toMatchObject({ phase: 'plan', stale: true });
    expect((await contractRow(t, id)).version).toBe(version);
    await shown(of, tests, two, 'implementation');
    expect(await ready(of)).toMatchObject({ phase: 'execute', ready: true });
  });
});
