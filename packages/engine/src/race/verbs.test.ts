/** Verbs against each other on a real Postgres, statement by statement: each order ends in a state that is explained. */
import { zAskInput } from '@makima/contracts/entity/question';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePhase } from '../contract/change-phase.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { answerByDefault } from '../question/default.ts';
import { restoreSupervisor } from '../supervisor/restore.ts';
import { assignPending } from '../task/assign.ts';
import { cancelTask } from '../task/cancel.ts';
import { beginWait } from '../wait/begin.ts';
import { expireWaits } from '../wait/expire.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, personOf, runJobs, type TestEngine } from '../test-engine.ts';
import { contractRow, running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';
import { eventsOf, race, resultOf, sendOn, statusTo } from './test-race.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 12 });
  daemon = await TestDaemon.join(t, { slots: 10_000 });
});
afterAll(() => t.close());

const questionRow = async (id: string) =>
  (
    await t.database.sql<{ status: string; response: string; answeredByUserId: string | null }[]>`
      select status, response, answered_by_user_id from questions where id = ${id}`
  )[0];

it('a supervisor is restored once, however many restorers look', () =>
  race(t, {
    name: 'restore against restore',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const of = { taskId: scene.supervisorTaskId, attempt: 1 };
      await daemon.ended(of, { outcome: 'crashed' });
      return of;
    },
    runners: (of) => ({
      one: (engine) => resultOf(restoreSupervisor(engine, t.system, of)),
      two: (engine) => resultOf(restoreSupervisor(engine, t.system, of)),
      three: (engine) => resultOf(restoreSupervisor(engine, t.system, of)),
    }),
    async afterwards({ taskId }, answers) {
      const did = Object.values(answers).filter((answer) => answer !== 'nothing');
      expect(did).toHaveLength(1);
      expect(await taskRow(t, taskId)).toMatchObject({ status: 'pending', currentAttempt: 1 });
      expect(
        await t.database.sql`select epoch from restorations where task_id = ${taskId}`,
      ).toEqual([{ epoch: 2 }]);
      await runJobs(t);
      await daemon.pull();
    },
  }));

it('work that ends while its contract is paused counts once', () =>
  race(t, {
    name: 'task ended against pause',
    scene: async () => {
      const scene = await stage(t, { daemon });
      return { scene, start: await running(scene) };
    },
    runners: ({ scene, start }) => ({
      ended: (engine) => sendOn(engine, daemon, endedReport(start)),
      paused: statusTo(t, scene.contract.id, 'paused'),
    }),
    async afterwards({ scene, start }, answers) {
      expect(answers['paused']).not.toBe('INVALID_TRANSITION');
      expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'paused' });
      expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'done' });
      expect(await eventsOf(t, 'task.completed', { taskId: start.taskId })).toBe(1);
      await daemon.pull();
    },
  }));

it('a question has one answer, whether a person or its default was first', () =>
  race(t, {
    name: 'answer against default',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const ask = { question: 'Which?', default: { answer: 'left', afterSeconds: 3_600 } };
      const asked = await askQuestion(t.engine, by(scene.supervisor), zAskInput.parse(ask));
      const id = asked.result.questionId;
      await t.database
        .sql`update questions set default_at = clock() - interval '1 s' where id = ${id}`;
      return { id };
    },
    runners: ({ id }) => ({
      person: (engine) => resultOf(answerQuestion(engine, by(t.owner), { id, response: 'right' })),
      sweep: (engine) => answerByDefault(engine, { limit: 10 }),
    }),
    async afterwards({ id }, { person }) {
      const row = await questionRow(id);
      const isDefault = person === 'QUESTION_ANSWERED';
      expect(row).toMatchObject({ status: 'answered', response: isDefault ? 'left' : 'right' });
      expect(row?.answeredByUserId === null).toBe(isDefault);
    },
  }));

it('a task that is cancelled while it is placed is not started behind anybody’s back', () =>
  race(t, {
    name: 'assign against cancel',
    scene: async () => {
      const scene = await stage(t, { daemon });
      return spawned(scene);
    },
    runners: ({ id }) => ({
      placed: (engine) => resultOf(assignPending(engine, t.system)),
      cancelled: (engine) => resultOf(cancelTask(engine, by(t.owner), { id })),
    }),
    async afterwards({ id }, { cancelled }) {
      expect(cancelled).toMatchObject({ status: 'cancelled' });
      const { status, currentAttempt } = await taskRow(t, id);
      expect(status).toBe('cancelled');
      const told = (await daemon.pull()).filter((c) => 'taskId' in c && c.taskId === id);
      const kinds = told.map(({ kind }) => kind);
      expect(kinds).toEqual(currentAttempt === 0 ? [] : ['task.start', 'task.stop']);
      if (currentAttempt > 0)
        await daemon.ended({ taskId: id, attempt: 1 }, { outcome: 'stopped' });
    },
  }));

it('an attempt that is given up and done at once is one or the other', () =>
  race(t, {
    name: 'lease over against task ended',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const start = await running(scene);
      await t.database.sql`
        update task_attempts set lease_expires_at = clock() - interval '1 s' where task_id = ${start.taskId}`;
      return start;
    },
    runners: (start) => ({
      given: (engine) => expireLeases(engine, { limit: 10 }),
      ended: (engine) => sendOn(engine, daemon, endedReport(start)),
    }),
    async afterwards({ taskId }) {
      // Finished work counts, even if its attempt was given up a moment before.
      await runJobs(t);
      expect(['done', 'starting']).toContain((await taskRow(t, taskId)).status);
      expect(await eventsOf(t, 'task.completed', { taskId })).toBeLessThanOrEqual(1);
      const lost = await eventsOf(t, 'attempt.lost', { taskId });
      const { currentAttempt, status } = await taskRow(t, taskId);
      if (status === 'starting') expect([lost, currentAttempt]).toEqual([1, 2]);
      await daemon.pull();
    },
  }));

it('of two people who decide on a guarded phase at once, one does', () =>
  race(t, {
    name: 'yes against no',
    scene: async () => {
      const scene = await guarded();
      return {
        scene,
        id: await openConfirmationOf(scene),
        other: await personOf(t, { role: 'member' }),
      };
    },
    runners: ({ id, other }) => ({
      yes: (engine) => resultOf(answerQuestion(engine, by(t.owner), { id, response: 'yes' })),
      no: (engine) => resultOf(answerQuestion(engine, by(other), { id, response: 'not yet' })),
    }),
    async afterwards({ scene, id }, { yes, no }) {
      const refused = [yes, no].filter((answer) => answer === 'QUESTION_ANSWERED');
      expect(refused).toHaveLength(1);
      const row = await questionRow(id);
      expect(row?.response).toBe(yes === 'QUESTION_ANSWERED' ? 'not yet' : 'yes');
      const { phase } = await contractRow(t, scene.contract.id);
      expect(phase).toBe(yes === 'QUESTION_ANSWERED' ? 'plan' : 'execute');
    },
  }));

it('a wait that is satisfied at the end of its time ends once', () =>
  race(t, {
    name: 'wait over against task ended',
    scene: async () => {
      const scene = await stage(t, { daemon });
      const start = await running(scene);
      const wait = { taskIds: [start.taskId], mode: 'all', expiresInSeconds: 60 } as const;
      await beginWait(t.engine, by(scene.supervisor), wait);
      await t.database.sql`
        update waits set until = clock() - interval '1 s' where task_id = ${scene.supervisorTaskId}`;
      return { scene, start };
    },
    runners: ({ start }) => ({
      over: (engine) => expireWaits(engine, { limit: 10 }),
      ended: (engine) => sendOn(engine, daemon, endedReport(start)),
    }),
    async afterwards({ scene: { supervisorTaskId: taskId } }) {
      const [wait] = await t.database.sql<{ state: string }[]>`
        select state from waits where task_id = ${taskId}`;
      const told = [
        await eventsOf(t, 'wait.satisfied', { taskId }),
        await eventsOf(t, 'wait.timed_out', { taskId }),
      ];
      expect([wait?.state, ...told]).toEqual(
        wait?.state === 'satisfied' ? ['satisfied', 1, 0] : ['timed_out', 0, 1],
      );
      await daemon.pull();
    },
  }));

it('a supervisor whose contract is cancelled while it is restored does not come back', () =>
  race(t, {
    name: 'restore against cancel',
    scene: async () => {
      const scene = await stage(t, { daemon });
      await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'crashed' });
      return scene;
    },
    runners: ({ contract: { id }, supervisorTaskId: taskId }) => ({
      restored: (engine) => resultOf(restoreSupervisor(engine, t.system, { taskId, attempt: 1 })),
      cancelled: statusTo(t, id, 'failed'),
    }),
    async afterwards({ contract: { id }, supervisorTaskId }) {
      expect(await contractRow(t, id)).toMatchObject({ status: 'failed' });
      await runJobs(t);
      expect(await taskRow(t, supervisorTaskId)).toMatchObject({
        status: 'cancelled',
        currentAttempt: 1,
      });
      await daemon.pull();
    },
  }));

async function guarded(): Promise<Stage> {
  const scene = await stage(t, { daemon, contract: { phaseGuard: true } });
  const { id } = scene.contract;
  const done = { id, deliverableId: 'plan-document', evidence: [] };
  await completeDeliverable(t.engine, by(scene.supervisor), done);
  await changePhase(t.engine, by(scene.supervisor), { id, phase: 'execute' });
  return scene;
}

async function openConfirmationOf({ contract }: Stage): Promise<string> {
  const [row] = await t.database.sql<{ id: string }[]>`
    select id from questions where contract_id = ${contract.id} and status = 'open'`;
  return row?.id ?? '';
}
