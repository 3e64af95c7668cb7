/**
 * A daemon that stands still for 90 s while its agents run on: its leases end, its work goes to another machine.
 * What its agents still do then is refused, kept as evidence, or stays on refs of their own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { authenticate } from '../identity/authenticate.ts';
import { issueToolKey } from '../identity/issue-tool-key.ts';
import { requestMerge } from '../operation/merge.ts';
import type { Agent } from '../principal.ts';
import { restoreSupervisor } from '../supervisor/restore.ts';
import { assignPending } from '../task/assign.ts';
import { spawnTask } from '../task/spawn.ts';
import { moveClock } from '../test-clock.ts';
import { outputReport, sha, TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { orderedId, running, spawnInput, stage, taskRow, type Stage } from '../test-stage.ts';
import { renewLeases } from './beat.ts';
import { disconnectDaemon } from './disconnect.ts';
import { expireLeases } from './expire-leases.ts';

let t: TestEngine;
let scene: Stage;
let other: TestDaemon;
let task: CommandOf<'task.start'>;
/** The same work, on the other machine. */
let again: CommandOf<'task.start'>;
let leads: CommandOf<'task.start'>;
let oldKey: string;
let newLead: Agent;
beforeAll(async () => {
  t = await openTestEngine();
  // Code that every machine can fetch: work of a local folder would wait for its machine.
  const repositories = [{ repositoryUrl: 'https://git.example.com/shop.git' }] as never;
  scene = await stage(t, { slots: 4, contract: { repositories } });
  task = await running(scene);
  const lead = { taskId: scene.supervisorTaskId, attempt: 1 };
  oldKey = (await issueToolKey(t.engine, scene.daemon.principal, lead)).key;
  await moveClock(t, '90 seconds');
  other = await TestDaemon.join(t, { slots: 4 });
  // Its socket was silent for too long.
  const { principal, sessionEpoch } = scene.daemon;
  await disconnectDaemon(t.engine, principal, { sessionEpoch, reason: 'silent' });
  await expireLeases(t.engine, { limit: 10 });
  await restoreSupervisor(t.engine, t.system, lead);
  await runJobs(t);
  await t.database.sql`update tasks set resume_at = null where contract_id = ${scene.contract.id}`;
  await assignPending(t.engine, t.system);
  const starts = await other.pullOnly('task.start');
  const find = (id: string) => {
    const start = starts.find((command) => command.taskId === id);
    if (start === undefined) throw new Error('it was not given to the other machine');
    return start;
  };
  again = find(task.taskId);
  leads = find(lead.taskId);
  for (const start of [again, leads]) await other.started(start);
  newLead = await other.agent(leads);
});
afterAll(() => t.close());

describe('an agent that ran on behind its lease', () => {
  it('opens nothing with its key, and every tool call of its epoch is refused', async () => {
    expect(await authenticate(t.engine, oldKey)).toBeNull();
    const old = by(scene.supervisor);
    const { id } = scene.contract;
    const calls = [
      () => spawnTask(t.engine, old, spawnInput(id)),
      () => requestMerge(t.engine, old, { id: task.taskId, squash: false }),
      () =>
        completeDeliverable(t.engine, old, { id, deliverableId: 'plan-document', evidence: [] }),
    ];
    for (const call of calls) expect(await refusal(call())).toMatchObject({ code: 'FENCED' });
  });

  it('goes on elsewhere with a word that its directory did not come along', () => {
    expect(again.messages.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^\[Moved\].*It begins where your task began/),
    );
    // Its conversation is on the machine that is gone: it begins anew, and has nothing to believe.
    expect(leads.messages.map(({ text }) => text).join()).not.toContain('[Moved]');
  });

  it('is not renewed when its daemon goes on, which is told that it is over', async () => {
    const held = [
      { taskId: task.taskId, attempt: 1 },
      { taskId: scene.supervisorTaskId, attempt: 1 },
    ];
    const welcome = await scene.daemon.connect(held);
    expect(welcome.fenced).toEqual(expect.arrayContaining(held));
    const beat = { sessionEpoch: scene.daemon.sessionEpoch, running: held, freeDiskBytes: null };
    expect(await renewLeases(t.engine, scene.daemon.principal, beat)).toMatchObject({
      renewed: [],
      fenced: expect.arrayContaining(held) as unknown,
    });
  });

  it('has its late words and commits kept as evidence, beside the work that counts', async () => {
    await scene.daemon.report(outputReport(task, 1, 'I went on'));
    await scene.daemon.ended(task, { summary: 'the frozen one', commitSha: sha('1') });
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'running', currentAttempt: 2 });
    const [kept] = await t.database.sql<{ superseded: boolean; summary: string }[]>`
      select superseded, summary from task_attempts where task_id = ${task.taskId} and attempt = 1`;
    expect(kept).toEqual({ superseded: true, summary: 'the frozen one' });
    await other.ended(again, { summary: 'the present one', commitSha: sha('2') });
    expect(await taskRow(t, task.taskId)).toMatchObject({
      status: 'done',
      outputSummary: 'the present one',
      commitSha: sha('2'),
    });
    expect([task.branch, again.branch].map((name) => name.slice(-3))).toEqual(['-a1', '-a2']);
  });

  it('is merged by nobody: what counts is, once', async () => {
    const merge = { id: task.taskId, squash: false };
    const operationId = await orderedId(requestMerge(t.engine, by(newLead), merge));
    const orders = [
      ...(await other.pullOnly('branch.merge')),
      ...(await scene.daemon.pullOnly('branch.merge')),
    ];
    expect(orders.map((order) => [order.operationId, order.attempt])).toEqual([[operationId, 2]]);
    const result = {
      kind: 'branch.merge',
      success: true,
      message: 'merged',
      commitSha: sha('3'),
      conflicts: [],
    } satisfies OperationResult;
    await other.finish(operationId, result);
    await scene.daemon.ended(task, { summary: 'the frozen one', commitSha: sha('1') });
    await runJobs(t);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'merged', currentAttempt: 2 });
    const merged = (await eventsOf(t, scene.contract.id)).filter((e) => e.type === 'task.merged');
    expect(merged).toHaveLength(1);
  });
});
