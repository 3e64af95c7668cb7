/** Places, needs, retries and waits: what starts when, where, and what follows when it ends badly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { assignPending } from './assign.ts';
import { beginWait, readWait } from '../wait/begin.ts';
import { cancelTask } from './cancel.ts';
import { contractTree, getTask } from './get.ts';
import { createContract } from '../contract/create.ts';
import { disconnectDaemon } from '../daemon/disconnect.ts';
import { messageTask } from './message.ts';
import { retryTask } from './retry.ts';
import { spawnTask } from './spawn.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  contractInput,
  eventsOf,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { done, running, spawned, spawnInput, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine({ settings: { maxRetries: 2 }, connections: 24 });
  scene = await stage(t, { slots: 200 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const skipBackoff = async (id: string): Promise<void> => {
  await t.database.sql`update tasks set resume_at = null where id = ${id}`;
  await assignPending(t.engine, t.system);
};
const startOf = async (id: string): Promise<CommandOf<'task.start'>> => {
  await scene.daemon.pull();
  const start = scene.daemon.commands.findLast((c) => c.kind === 'task.start' && c.taskId === id);
  if (start?.kind !== 'task.start') throw new Error(`${id} was not started`);
  return start;
};

describe('places', () => {
  it('are never given twice, however many assign at once', async () => {
    const other = await openTestEngine({ connections: 20 });
    const small = [
      await TestDaemon.join(other, { slots: 3 }),
      await TestDaemon.join(other, { slots: 2 }),
    ];
    const first = small[0];
    if (first === undefined) throw new Error('no daemon');
    const play = await stage(other, {
      daemon: first,
      contract: { repositories: [{ repositoryUrl: 'https://example.org/x.git' }] },
    });
    for (let i = 0; i < 12; i += 1) await spawned(play, { name: `task ${i}` });
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => assignPending(other.engine, other.system)),
    );
    const assigned = runs.flatMap((run) => run.result.assigned);
    expect(assigned).toHaveLength(4);
    expect(new Set(assigned.map((a) => a.taskId)).size).toBe(4);
    const starts = [
      ...(await first.pullOnly('task.start')),
      ...(await small[1]!.pullOnly('task.start')),
    ];
    expect(starts).toHaveLength(4);
    expect(await brokenInvariants(other)).toEqual({});
    await other.close();
  });

  it('are taken by what waits as soon as one is free', async () => {
    const other = await openTestEngine();
    const play = await stage(other, { slots: 2 });
    const first = await running(play, { name: 'first' });
    const second = await spawned(play, { name: 'second' });
    await runJobs(other);
    expect((await taskRow(other, second.id)).status).toBe('pending');
    await play.daemon.ended(first);
    await runJobs(other);
    expect((await taskRow(other, second.id)).status).toBe('starting');
    expect(await brokenInvariants(other)).toEqual({});
    await other.close();
  });

  it('are given to tasks of equal names with slugs of their own', async () => {
    const input = contractInput({ name: 'Same name', start: false });
    const made = await Promise.all(
      Array.from({ length: 8 }, () => createContract(t.engine, by(t.owner), input)),
    );
    expect(new Set(made.map(({ result }) => result.slug)).size).toBe(8);
  });
});

describe('needs', () => {
  it('hold a task back until they are done', async () => {
    const need = await running(scene, { name: 'need' });
    const task = await spawned(scene, { name: 'needing', needs: [need.taskId] });
    await runJobs(t);
    expect((await taskRow(t, task.id)).status).toBe('pending');
    await scene.daemon.ended(need);
    await runJobs(t);
    expect((await taskRow(t, task.id)).status).toBe('starting');
  });

  it('cancel a task when they will never be done, and those that need it', async () => {
    const need = await running(scene, { name: 'bad need' });
    const task = await spawned(scene, { name: 'needs bad', needs: [need.taskId] });
    const far = await spawned(scene, { name: 'needs needing', needs: [task.id] });
    await scene.daemon.ended(need, { outcome: 'failed', error: 'no way' });
    expect(await taskRow(t, task.id)).toMatchObject({
      status: 'cancelled',
      errorMessage: 'it needs bad need, which did not complete',
    });
    expect((await taskRow(t, far.id)).status).toBe('cancelled');
    const error = await refusal(spawned(scene, { name: 'too late', needs: [need.taskId] }));
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(error.message).toContain('bad need is failed');
  });

  it('that fail while a task is spawned leave none waiting for ever', async () => {
    for (let round = 0; round < 8; round += 1) {
      const need = await running(scene, { name: `fails ${round}` });
      const [task] = await Promise.allSettled([
        spawned(scene, { name: `needs fails ${round}`, needs: [need.taskId] }),
        scene.daemon.ended(need, { outcome: 'failed', error: 'no' }),
      ]);
      if (task.status === 'rejected')
        expect(task.reason).toMatchObject({ code: 'VALIDATION_FAILED' });
      else expect((await taskRow(t, task.value.id)).status).toBe('cancelled');
    }
  });
});

describe('an attempt that ends badly', () => {
  it('is followed by the next, which continues the session', async () => {
    const first = await running(scene, { name: 'crashes' });
    await scene.daemon.ended(first, { outcome: 'crashed', error: 'segfault', exitCode: 139 });
    await runJobs(t);
    const second = await startOf(first.taskId);
    expect(second).toMatchObject({ attempt: 2, resumeSession: true, sessionId: first.sessionId });
    expect(second.messages.map((m) => m.text).join()).toContain('You were interrupted (segfault)');
    expect(await taskRow(t, first.taskId)).toMatchObject({ status: 'starting', retryCount: 1 });
  });

  it('is the last when there were too many, and the task says why', async () => {
    const first = await running(scene, { name: 'hopeless' });
    let start: { taskId: string; attempt: number } = first;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      if (attempt > 1) {
        start = await startOf(first.taskId);
        await scene.daemon.started(start);
      }
      await scene.daemon.ended(start, { outcome: 'crashed', error: 'again' });
      await runJobs(t);
      await skipBackoff(first.taskId);
    }
    const row = await taskRow(t, first.taskId);
    expect(row).toMatchObject({ status: 'failed', currentAttempt: 3, retryCount: 2 });
    expect(row.errorMessage).toBe('Given up after 3 attempts; at last the agent crashed: again');
  });

  it('is followed by a wait the second time, unless it lived longer than that', async () => {
    for (const livedSeconds of [0, 10]) {
      const first = await running(scene, { name: `lived ${livedSeconds} s` });
      await scene.daemon.ended(first, { outcome: 'crashed', error: 'once' });
      await runJobs(t);
      const second = await startOf(first.taskId);
      await scene.daemon.started(second);
      await t.database.sql`
        update task_attempts set assigned_at = assigned_at - make_interval(secs => ${livedSeconds})
         where task_id = ${first.taskId}`;
      await scene.daemon.ended(second, { outcome: 'crashed', error: 'twice' });
      await runJobs(t);
      const { status } = await taskRow(t, first.taskId);
      expect(status).toBe(livedSeconds === 0 ? 'pending' : 'starting');
    }
  });

  it('that could not start is tried on the only machine again, and ends with its reason', async () => {
    const first = await running(scene, { name: 'cannot start here' });
    let start: { taskId: string; attempt: number } = first;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      if (attempt > 1) start = await startOf(first.taskId);
      await scene.daemon.ended(start, { outcome: 'start_failed', error: 'no such agent' });
      await runJobs(t);
      await skipBackoff(first.taskId);
    }
    const row = await taskRow(t, first.taskId);
    expect(row).toMatchObject({ status: 'failed', failedDaemonIds: [] });
    expect(row.errorMessage).toContain('no such agent');
    const never = await running(scene, { name: 'cannot start anywhere' });
    await scene.daemon.ended(never, { outcome: 'start_failed', permanent: true, error: 'none' });
    await runJobs(t);
    expect(await taskRow(t, never.taskId)).toMatchObject({ status: 'failed', currentAttempt: 1 });
  });

  it('that could not start goes elsewhere when another machine could take it', async () => {
    const repositories = [{ repositoryUrl: 'https://example.com/code.git' }];
    const there = await stage(t, { daemon: scene.daemon, contract: { repositories } });
    const first = await running(there, { name: 'cannot start here' });
    const other = await TestDaemon.join(t, { slots: 4 });
    await scene.daemon.ended(first, { outcome: 'start_failed', error: 'no such agent' });
    await runJobs(t);
    await skipBackoff(first.taskId);
    const starts = await other.pullOnly('task.start');
    expect(starts.map((command) => command.taskId)).toContain(first.taskId);
    expect(await taskRow(t, first.taskId)).toMatchObject({ failedDaemonIds: [scene.daemon.id] });
    await disconnectDaemon(t.engine, other.principal, {
      sessionEpoch: other.sessionEpoch,
      reason: 'test',
    });
  });

  it('whose conversation is lost is followed by one that begins anew', async () => {
    const first = await running(scene, { name: 'forgets' });
    const lost = { outcome: 'start_failed', error: 'session lost', sessionLost: true } as const;
    await scene.daemon.ended(first, { outcome: 'crashed', error: 'segfault' });
    await runJobs(t);
    await scene.daemon.ended(await startOf(first.taskId), lost);
    await runJobs(t);
    await skipBackoff(first.taskId);
    const third = await startOf(first.taskId);
    expect(third).toMatchObject({ attempt: 3, resumeSession: false, hasTranscript: false });
    expect(third.sessionId).not.toBe(first.sessionId);
    await cancelTask(t.engine, by(scene.supervisor), { id: first.taskId });
  });

  it('by the agent’s own word is a failure and not tried again', async () => {
    const first = await running(scene, { name: 'gives up' });
    await scene.daemon.ended(first, { outcome: 'failed', error: 'cannot be done' });
    await runJobs(t);
    expect(await taskRow(t, first.taskId)).toMatchObject({
      status: 'failed',
      currentAttempt: 1,
      errorMessage: 'cannot be done',
    });
    const error = await refusal(retryTask(t.engine, by(t.owner), { id: first.taskId }));
    expect(error).toMatchObject({ code: 'INVALID_TRANSITION', details: { status: 'failed' } });
  });
});

describe('a task that is cancelled', () => {
  it('stops its agent, is not started again, and frees who needs it', async () => {
    const first = await running(scene, { name: 'unwanted' });
    await cancelTask(t.engine, by(scene.supervisor), { id: first.taskId, reason: 'not needed' });
    const [stop] = await scene.daemon.pullOnly('task.stop');
    expect(stop).toMatchObject({ taskId: first.taskId, attempt: 1, reason: 'cancelled' });
    expect(await taskRow(t, first.taskId)).toMatchObject({
      status: 'cancelled',
      errorMessage: 'not needed',
    });
    await scene.daemon.ended(first, { outcome: 'stopped' });
    await runJobs(t);
    expect(await taskRow(t, first.taskId)).toMatchObject({
      status: 'cancelled',
      currentAttempt: 1,
    });
  });

  it('stays cancelled when its agent was done first', async () => {
    const first = await running(scene, { name: 'just done' });
    await cancelTask(t.engine, by(scene.supervisor), { id: first.taskId });
    await scene.daemon.ended(first);
    expect((await taskRow(t, first.taskId)).status).toBe('cancelled');
  });

  it('cannot be the supervisor by its own hand; by a person’s it ends the contract', async () => {
    const play = await stage(t, { daemon: scene.daemon });
    const own = { id: play.supervisorTaskId };
    expect((await refusal(cancelTask(t.engine, by(play.supervisor), own))).code).toBe('FORBIDDEN');
    await cancelTask(t.engine, by(t.owner), { ...own, reason: 'enough' });
    await runJobs(t);
    const [row] = await t.database
      .sql`select status, failure_reason from contracts where id = ${play.contract.id}`;
    expect(row).toEqual({ status: 'failed', failureReason: 'the supervisor is cancelled: enough' });
    await play.daemon.ended({ taskId: play.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
  });
});

describe('a wait', () => {
  it('is not missed by a task that ends while it begins', async () => {
    for (let round = 0; round < 15; round += 1) {
      const task = await running(scene, { name: `waited ${round}` });
      const [wait] = await Promise.all([
        beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' }),
        scene.daemon.ended(task),
      ]);
      const state = await readWait(t.engine, scene.supervisor, { waitId: wait.result.waitId });
      expect(state.satisfied).toBe(true);
    }
  });

  it('for any ends with the first, for all with the last', async () => {
    const a = await running(scene, { name: 'a' });
    const b = await running(scene, { name: 'b' });
    const taskIds = [a.taskId, b.taskId];
    const any = (await beginWait(t.engine, by(scene.supervisor), { taskIds, mode: 'any' })).result;
    const all = (await beginWait(t.engine, by(t.owner), { taskIds, mode: 'all' })).result;
    await scene.daemon.ended(a, { outcome: 'failed', error: 'no' });
    expect((await readWait(t.engine, scene.supervisor, any)).satisfied).toBe(true);
    expect((await readWait(t.engine, t.owner, all)).satisfied).toBe(false);
    await scene.daemon.ended(b);
    expect((await readWait(t.engine, t.owner, all)).satisfied).toBe(true);
    expect(t.hints.map((h) => h.channel)).toContain(`mk1:wait:${all.waitId}`);
  });

  it('cannot be for itself', async () => {
    const taskIds = [scene.supervisorTaskId];
    const error = await refusal(
      beginWait(t.engine, by(scene.supervisor), { taskIds, mode: 'all' }),
    );
    expect(error.code).toBe('VALIDATION_FAILED');
  });
});

describe('a message', () => {
  it('reaches an agent that is being started, once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const task = await spawned(scene, { name: `reads ${round}` });
      const send = (i: number): Promise<unknown> =>
        messageTask(t.engine, by(t.owner), { id: task.id, message: `m${i}`, mode: 'queue' });
      await Promise.all([send(1), assignPending(t.engine, t.system), send(2), send(3)]);
      const start = await startOf(task.id);
      const sent = scene.daemon.commands.flatMap((c) =>
        c.kind === 'task.message' && c.taskId === task.id ? [c.message.text] : [],
      );
      expect([...start.messages.map((m) => m.text), ...sent].toSorted()).toEqual([
        'm1',
        'm2',
        'm3',
      ]);
    }
  });

  it('is refused by a task that is over', async () => {
    const task = await done(scene, { name: 'over' });
    const error = await refusal(
      messageTask(t.engine, by(t.owner), { id: task.taskId, message: 'hello', mode: 'queue' }),
    );
    expect(error.code).toBe('INVALID_TRANSITION');
  });
});

describe('spawning', () => {
  it('keeps to the limits, and names them', async () => {
    const other = await openTestEngine({ limits: { openChildrenPerSupervisorMax: 3 } });
    const play = await stage(other);
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => spawned(play, { name: `n${i}` })),
    );
    expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
    for (const one of all) {
      if (one.status === 'rejected')
        expect(one.reason).toMatchObject({
          code: 'LIMIT_EXCEEDED',
          details: { limit: 'openChildrenPerSupervisorMax', max: 3 },
        });
    }
    await other.close();
  });

  it('makes a tree with depth', async () => {
    const play = await stage(t, { daemon: scene.daemon });
    const child = await spawned(play, { name: 'child' });
    const input = spawnInput(play.contract.id, { name: 'grandchild', parentTaskId: child.id });
    await spawnTask(t.engine, by(t.owner), input);
    const tree = await contractTree(t.engine, t.owner, { id: play.contract.id });
    expect(tree.roots).toMatchObject([
      {
        isSupervisor: true,
        depth: 0,
        children: [{ name: 'child', depth: 1, children: [{ name: 'grandchild', depth: 2 }] }],
      },
    ]);
    expect((await getTask(t.engine, t.owner, { id: child.id })).parentTaskId).toBe(
      play.supervisorTaskId,
    );
    expect(
      (await eventsOf(t, play.contract.id)).filter((e) => e.type === 'task.spawned'),
    ).toHaveLength(2);
  });

  it('takes the repository that is named, else the primary, else says what is missing', async () => {
    const error = await refusal(spawned(scene, { repositoryUrl: 'https://example.org/else.git' }));
    expect(error).toMatchObject({
      code: 'MISSING_REPO_URL',
      details: { repositories: ['example'] },
    });
    const task = await spawned(scene, { name: 'by name', repositoryUrl: 'example' });
    expect(task.repositoryUrl).toBe('/srv/repositories/example');
  });
});
