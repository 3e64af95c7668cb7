/** A supervisor's sleep, return, work and end against what people do at the same moment, statement by statement. */
import { zAskInput } from '@makima/contracts/entity/question';
import type { Report } from '@makima/contracts/socket/reports';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePhase } from '../contract/change-phase.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { evaluateContract } from '../contract/evaluate.ts';
import { requestMerge } from '../operation/merge.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { parkWaiting } from '../supervisor/park.ts';
import { restoreSupervisor } from '../supervisor/restore.ts';
import { resumeSupervisor } from '../supervisor/resume.ts';
import { endedReport, sha, TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { contractRow, done, orderedId, stage, taskRow } from '../test-stage.ts';
import { eventsOf, race, resultOf, sendOn, statusTo } from './test-race.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 12 });
  daemon = await TestDaemon.join(t, { slots: 10_000 });
});
afterAll(() => t.close());

it('an answer that comes while its asker falls asleep is read by it once', () =>
  race(t, {
    name: 'park against answer',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const ask = zAskInput.parse({ question: 'Which?', timeoutSeconds: 300 });
      const { questionId } = (await askQuestion(t.engine, by(scene.supervisor), ask)).result;
      const taskId = scene.supervisorTaskId;
      await t.database
        .sql`update supervisors set updated_at = clock() - interval '121 s' where task_id = ${taskId}`;
      await parkWaiting(t.engine, { limit: 10 });
      await daemon.pull();
      return { questionId, taskId, contractId: scene.contract.id };
    },
    runners: ({ questionId: id, taskId }) => ({
      parked: (engine) =>
        sendOn(engine, daemon, endedReport({ taskId, attempt: 1 }, { outcome: 'parked' })),
      answered: (engine) =>
        resultOf(answerQuestion(engine, by(t.owner), { id, response: 'the left one' })),
    }),
    async afterwards({ taskId, contractId }, { answered }) {
      expect(answered).toMatchObject({ status: 'answered' });
      await runJobs(t);
      expect(await taskRow(t, taskId)).toMatchObject({ status: 'starting', currentAttempt: 2 });
      expect(await eventsOf(t, 'supervisor.woken', { contractId })).toBe(1);
      const starts = await daemon.pullOnly('task.start');
      const start = starts.find((command) => command.taskId === taskId);
      const read = start?.messages.map(({ text }) => text).join('\n') ?? '';
      expect(read.split('the left one')).toHaveLength(2);
    },
  }));

it('a merge that succeeds while its contract is cancelled is known, and moves nothing more', () =>
  race(t, {
    name: 'merge against cancel',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const { taskId } = await done(scene);
      const merge = { id: taskId, squash: false };
      const operationId = await orderedId(requestMerge(t.engine, by(scene.supervisor), merge));
      await daemon.pull();
      return { scene, taskId, operationId };
    },
    runners: ({ scene, operationId }) => ({
      merged: (engine) => sendOn(engine, daemon, mergeDone(operationId)),
      cancelled: statusTo(t, scene.contract.id, 'failed'),
    }),
    async afterwards({ scene, taskId, operationId }) {
      const { id } = scene.contract;
      expect(await contractRow(t, id)).toMatchObject({ status: 'failed' });
      // What the machine did is so, whoever was first.
      expect(await taskRow(t, taskId)).toMatchObject({ status: 'merged' });
      expect(await eventsOf(t, 'task.merged', { contractId: id })).toBe(1);
      expect(await t.database.sql`select state from operations where id = ${operationId}`).toEqual([
        { state: 'done' },
      ]);
      await runJobs(t);
      expect(await contractRow(t, id)).toMatchObject({ status: 'failed' });
      expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ status: 'cancelled' });
      await daemon.pull();
    },
  }));

it('a supervisor that a person resumes while it is restored comes back once, as the person said', () =>
  race(t, {
    name: 'resume against restore',
    scene: async () => {
      const scene = await stage(t, { daemon });
      await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'crashed' });
      return { id: scene.contract.id, taskId: scene.supervisorTaskId };
    },
    runners: ({ id, taskId }) => ({
      resumed: (engine) =>
        resultOf(
          resumeSupervisor(engine, by(t.owner), {
            id,
            resumeMode: 'restart_phase',
            additionalContext: 'Mind the gap.',
          }),
        ),
      restored: (engine) => resultOf(restoreSupervisor(engine, t.system, { taskId, attempt: 1 })),
    }),
    async afterwards({ id, taskId }, { resumed }) {
      expect(resumed).toMatchObject({ status: 'pending', supervisorTaskId: taskId });
      await runJobs(t);
      expect(await taskRow(t, taskId)).toMatchObject({ status: 'starting', currentAttempt: 2 });
      expect(
        await t.database
          .sql`select epoch, requested_by from restorations where task_id = ${taskId}`,
      ).toEqual([{ epoch: 2, requestedBy: t.owner.name }]);
      const starts = await daemon.pullOnly('task.start');
      const mine = starts.filter((command) => command.taskId === taskId);
      expect(mine).toHaveLength(1);
      const notices = mine[0]?.messages.filter(({ text }) => text.includes('Mind the gap.')) ?? [];
      expect(notices).toHaveLength(1);
      expect(mine[0]?.messages).toHaveLength(1);
      expect(mine[0]?.resumeSession).toBe(false);
      expect(await contractRow(t, id)).toMatchObject({ status: 'active' });
    },
  }));

it('a contract that is paused while its end is found is paused, or completes', () =>
  race(t, {
    name: 'completion against pause',
    scene: async () => {
      const scene = await stage(t, { daemon, contract: { phaseGuard: false } });
      const { id } = scene.contract;
      const show = (deliverableId: string) =>
        completeDeliverable(t.engine, by(scene.supervisor), { id, deliverableId, evidence: [] });
      await show('plan-document');
      await changePhase(t.engine, by(scene.supervisor), { id, phase: 'execute' });
      await show('implementation');
      return scene;
    },
    runners: ({ contract: { id } }) => ({
      found: (engine) => resultOf(evaluateContract(engine, t.system, { contractId: id })),
      paused: statusTo(t, id, 'paused'),
    }),
    async afterwards({ contract: { id }, supervisorTaskId }, { found, paused }) {
      const { status } = await contractRow(t, id);
      const stops = (await daemon.pullOnly('task.stop')).filter(
        (command) => command.taskId === supervisorTaskId,
      );
      if (paused === 'INVALID_TRANSITION') {
        expect([status, found, stops]).toEqual(['completing', 'completing', []]);
        return;
      }
      expect([status, found]).toEqual(['paused', 'nothing']);
      expect(stops).toMatchObject([{ reason: 'paused' }]);
      expect(await eventsOf(t, 'contract.completed', { contractId: id })).toBe(0);
    },
  }));

function mergeDone(operationId: string): Report {
  return {
    kind: 'operation.finished',
    operationId,
    ok: true,
    error: null,
    result: {
      kind: 'branch.merge',
      success: true,
      message: 'merged',
      commitSha: sha('d'),
      conflicts: [],
    },
  };
}
