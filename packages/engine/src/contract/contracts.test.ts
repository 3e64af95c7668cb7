/** Contracts listed, changed and asked why; their repositories. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { addRepository, listRepositories, removeRepository } from './repositories.ts';
import { askQuestion } from '../question/ask.ts';
import { inbox } from '../question/inbox.ts';
import { changePhase } from './change-phase.ts';
import { changeStatus } from './change-status.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { createContract } from './create.ts';
import { disconnectDaemon } from '../daemon/disconnect.ts';
import { evaluateContract } from './evaluate.ts';
import { getContract } from './get.ts';
import { listContracts } from './list.ts';
import { patchContract } from './patch.ts';
import { phaseReadiness } from './phase-readiness.ts';
import { setAutoComplete } from './set-auto-complete.ts';
import { startContract } from './start.ts';
import { whyContract } from './why.ts';
import { whyTask } from '../task/why.ts';
import { beginWait } from '../wait/begin.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  contractInput,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, spawned, stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

describe('a list', () => {
  it('is filtered, and shows those first that need a person', async () => {
    const other = await openTestEngine();
    const asking = await stage(other);
    const ids = [asking.contract.id];
    for (let i = 0; i < 6; i += 1)
      ids.push((await newContract(other, { name: `c${i}`, start: false })).id);
    await askQuestion(other.engine, by(asking.supervisor), zAskInput.parse({ question: 'Which?' }));
    const all = await listContracts(other.engine, other.owner, { limit: 50 });
    expect(all.items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(all.items[0]).toMatchObject({
      id: asking.contract.id,
      attention: 'needs_you',
      openQuestions: 1,
    });
    const waiting = await listContracts(other.engine, other.owner, { limit: 50, waiting: true });
    expect(waiting.items.map((item) => item.id)).toEqual([asking.contract.id]);
    const created = await listContracts(other.engine, other.owner, {
      limit: 50,
      status: ['created'],
      phase: 'plan',
    });
    expect(created.items).toHaveLength(6);
    const several = await listContracts(other.engine, other.owner, {
      limit: 50,
      status: ['created', 'waiting_for_input'],
    });
    expect(several.items).toHaveLength(7);
    expect(
      (await listContracts(other.engine, other.owner, { limit: 50, phase: 'execute' })).items,
    ).toEqual([]);
    const bad = listContracts(other.engine, other.owner, {
      limit: 5,
      after: '1; drop table contracts',
    });
    expect((await refusal(bad)).code).toBe('VALIDATION_FAILED');
    await other.close();
  });
});

describe('a change', () => {
  it('has one winner of one version; the others learn both numbers', async () => {
    const { id } = await newContract(t, { start: false });
    const { version } = await contractRow(t, id);
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        patchContract(t.engine, by(t.owner), { id, name: `name ${i}`, expectedVersion: version }),
      ),
    );
    expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of all) {
      if (one.status === 'rejected')
        expect(one.reason).toMatchObject({
          code: 'VERSION_CONFLICT',
          details: { expected: version, actual: version + 1, currentPhase: 'plan' },
        });
    }
  });

  it('that changes nothing makes no version and no event', async () => {
    const { id, name } = await newContract(t, { start: false });
    const before = (await eventsOf(t, id)).length;
    const { result } = await patchContract(t.engine, by(t.owner), { id, name, phaseGuard: true });
    expect([result.version, (await eventsOf(t, id)).length]).toEqual([1, before]);
  });

  it('of the goal is told to the supervisor', async () => {
    const { contract } = await stage(t, { daemon });
    await patchContract(t.engine, by(t.owner), {
      id: contract.id,
      description: 'Make it fast too',
    });
    const [message] = await daemon.pullOnly('task.message');
    expect(message?.message.text).toContain('Make it fast too');
  });

  it('of guards knows the phases', async () => {
    const { id } = await newContract(t, { start: false });
    expect(
      (await patchContract(t.engine, by(t.owner), { id, phaseGuard: false })).result.guardedPhases,
    ).toEqual([]);
    expect(
      (await refusal(patchContract(t.engine, by(t.owner), { id, phaseGuard: ['nowhere'] }))).code,
    ).toBe('VALIDATION_FAILED');
  });

  it('of auto-completion is looked at', async () => {
    const { contract } = await stage(t, {
      daemon,
      contract: { phaseGuard: false, autoCompleteEnabled: false },
    });
    const { id } = contract;
    await completeDeliverable(t.engine, by(t.owner), {
      id,
      deliverableId: 'plan-document',
      evidence: [],
    });
    await runJobs(t);
    expect(await phaseReadiness(t.engine, t.owner, { id })).toMatchObject({
      phase: 'plan',
      ready: true,
      auto_advance_enabled: false,
    });
    // Nothing moves by itself: its owner is told, in every list.
    const mine = async () =>
      (await inbox(t.engine, t.owner)).items.filter(({ contractId }) => contractId === id);
    expect(await mine()).toMatchObject([
      {
        kind: 'standstill',
        title: 'The gate of phase plan is met, but nothing advances by itself here.',
        act: `makima contracts advance ${contract.slug} --phase execute`,
      },
    ]);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({ attention: 'needs_you' });
    const on = await setAutoComplete(t.engine, by(t.owner), { id, enabled: true });
    expect(on.result).toMatchObject({ id, autoCompleteEnabled: true, phase: 'plan' });
    await runJobs(t);
    expect(await mine()).toEqual([]);
    expect(await phaseReadiness(t.engine, t.owner, { id })).toEqual({
      phase: 'execute',
      ready: false,
      no_gate: false,
      auto_advance_enabled: true,
      missing: [
        {
          kind: 'deliverable',
          id: 'implementation',
          reason: 'Deliverable implementation (Implementation) is not complete.',
        },
      ],
    });
  });
});

describe('repositories', () => {
  it('have one primary, also after it is gone', async () => {
    const { id } = await newContract(t, { start: false });
    const list = async () => (await listRepositories(t.engine, t.owner, { id })).items;
    const second = (
      await addRepository(t.engine, by(t.owner), {
        id,
        repositoryUrl: 'https://example.org/a/second.git',
      })
    ).result;
    expect(second).toMatchObject({ name: 'second', isPrimary: false });
    const third = (
      await addRepository(t.engine, by(t.owner), {
        id,
        repositoryUrl: 'git@example.org:a/third.git',
        isPrimary: true,
      })
    ).result;
    expect((await list()).map((r) => [r.name, r.isPrimary])).toEqual([
      ['third', true],
      ['example', false],
      ['second', false],
    ]);
    await removeRepository(t.engine, by(t.owner), { id, repositoryId: third.id });
    expect((await list()).map((r) => [r.name, r.isPrimary])).toEqual([
      ['example', true],
      ['second', false],
    ]);
    expect(
      (
        await refusal(
          addRepository(t.engine, by(t.owner), {
            id,
            repositoryUrl: 'https://example.org/a/second.git',
          }),
        )
      ).code,
    ).toBe('CONFLICT');
  });

  it('stay while a task uses them', async () => {
    const { contract } = await stage(t, { daemon });
    const [repository] = contract.repositories;
    const error = await refusal(
      removeRepository(t.engine, by(t.owner), {
        id: contract.id,
        repositoryId: repository?.id ?? '',
      }),
    );
    expect(error).toMatchObject({ code: 'CONFLICT', details: { tasks: 1 } });
  });

  it.each([
    'ext::sh -c touch% x',
    'EXT::x',
    'fd::17',
    'file:///etc',
    'http://example.org/x.git',
    '-upload-pack=x',
    '--upload-pack=x',
    'https://user:secret@example.org/x.git',
    'https://token@example.org/x.git',
    'git@-oProxyCommand=x:y',
    'https://',
    'https:///x',
    'https://example.org',
    'https://example.org/x\ny',
    'https://example.org/%0ax',
    '/etc/passwd',
    'x',
    'https://exa mple.org/x',
  ])('are not taken from %s', async (repositoryUrl) => {
    const { id } = await newContract(t, { start: false });
    const error = await refusal(addRepository(t.engine, by(t.owner), { id, repositoryUrl }));
    expect(error).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ pointer: '/repositoryUrl' }] },
    });
    expect(JSON.stringify([error.message, error.details])).not.toContain('secret');
    const create = createContract(
      t.engine,
      by(t.owner),
      contractInput({ repositories: [{ repositoryUrl }] }),
    );
    expect((await refusal(create)).code).toBe('VALIDATION_FAILED');
  });
});

describe('starting', () => {
  it('happens once', async () => {
    const { id } = await newContract(t, { start: false });
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => startContract(t.engine, by(t.owner), { id })),
    );
    expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of all)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ALREADY_RUNNING' });
  });
});

describe('why', () => {
  const why = (id: string) => whyContract(t.engine, t.owner, { id });
  const kinds = async (id: string) => (await why(id)).blockers.map((b) => b.kind);

  it('names what a contract waits for, at every station', async () => {
    const { id, slug } = await newContract(t, { agent: 'unknown', start: false });
    expect(await why(id)).toMatchObject({
      moving: false,
      blockers: [
        { kind: 'not_started', whoCanAct: 'person', act: `makima contracts start ${slug}` },
      ],
    });
    await startContract(t.engine, by(t.owner), { id });
    expect(await why(id)).toMatchObject({
      moving: false,
      summary: expect.stringContaining('has the agent unknown'),
    });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    expect(await kinds(id)).toEqual(['pause']);
    await changeStatus(t.engine, by(t.owner), {
      id,
      targetStatus: 'failed',
      reason: 'wrong agent',
    });
    expect((await why(id)).summary).toBe('The contract is failed: wrong agent.');

    const scene = await stage(t, { daemon });
    const here = scene.contract.id;
    expect(await why(here)).toMatchObject({ moving: true, blockers: [] });
    await askQuestion(t.engine, by(scene.supervisor), zAskInput.parse({ question: 'Which?' }));
    const asked = await why(here);
    expect(asked.blockers[0]).toMatchObject({ kind: 'question', whoCanAct: 'person' });
    expect(asked.blockers[0]?.act).toContain(`makima answer ${asked.blockers[0]?.questionId}`);
  });

  it('names the guard, the blocker and the grace', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    await completeDeliverable(t.engine, by(scene.supervisor), {
      id,
      deliverableId: 'plan-document',
      evidence: [],
    });
    await evaluateContract(t.engine, t.system, { contractId: id });
    expect((await why(id)).blockers[0]).toMatchObject({
      kind: 'guard',
      whoCanAct: 'person',
      act: `makima contracts advance ${scene.contract.slug} --phase execute --confirm`,
    });
    await changePhase(t.engine, by(t.owner), { id, phase: 'execute', confirmed: true });
    await changeStatus(t.engine, by(t.owner), {
      id,
      targetStatus: 'blocked',
      blocker: 'no licence',
    });
    expect(await why(id)).toMatchObject({ summary: 'no licence', blockers: [{ kind: 'blocked' }] });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'active' });
    await completeDeliverable(t.engine, by(t.owner), {
      id,
      deliverableId: 'implementation',
      evidence: [],
    });
    await evaluateContract(t.engine, t.system, { contractId: id });
    expect(await why(id)).toMatchObject({
      status: 'completing',
      moving: true,
      blockers: [{ kind: 'gate', whoCanAct: 'system' }],
    });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
  });

  it('names the needs, the full machine, the machine that is away, and the wait of a task', async () => {
    const other = await openTestEngine();
    const play = await stage(other, { slots: 2 });
    const look = (id: string) => whyTask(other.engine, other.owner, { id });
    const need = await running(play, { name: 'need' });
    expect(await look(need.taskId)).toMatchObject({ moving: true, blockers: [] });
    const needing = await spawned(play, { name: 'needing', needs: [need.taskId] });
    expect((await look(needing.id)).blockers).toMatchObject([
      { kind: 'dependency', reason: 'Needs task need, which is running.' },
    ]);
    const full = await spawned(play, { name: 'full' });
    await runJobs(other);
    expect((await look(full.id)).blockers).toMatchObject([
      { kind: 'capacity', whoCanAct: 'system' },
    ]);
    await beginWait(other.engine, by(play.supervisor), { taskIds: [need.taskId], mode: 'all' });
    expect((await look(play.supervisorTaskId)).blockers).toMatchObject([
      { kind: 'dependency', reason: 'Waits for task need (running).' },
    ]);
    expect(await whyContract(other.engine, other.owner, { id: play.contract.id })).toMatchObject({
      moving: true,
    });
    await disconnectDaemon(other.engine, play.daemon.principal, {
      sessionEpoch: play.daemon.sessionEpoch,
      reason: 'away',
    });
    expect((await look(need.taskId)).blockers[0]).toMatchObject({
      kind: 'machine_offline',
      whoCanAct: 'person',
      act: 'makima daemon start',
    });
    expect((await look(full.id)).blockers[0]).toMatchObject({ kind: 'no_daemon' });
    await play.daemon.connect([
      { taskId: need.taskId, attempt: 1 },
      { taskId: play.supervisorTaskId, attempt: 1 },
    ]);
    await play.daemon.ended(need);
    expect((await look(need.taskId)).blockers).toMatchObject([
      { kind: 'done', whoCanAct: 'nobody' },
    ]);
    // Looking claims nothing: the assigner finds both.
    await Promise.all([look(full.id), runJobs(other)]);
    expect(await getContract(other.engine, other.owner, { id: play.contract.id })).toMatchObject({
      taskCounts: { done: 1, starting: 1, pending: 1 },
    });
    await other.close();
  });
});
