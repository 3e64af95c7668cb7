/** How a contract ends: cancelled, archived, deleted, and what is kept of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { type ContractStatus } from '@makima/domain/contract';
import { askQuestion } from '../question/ask.ts';
import { changeStatus, type StatusChange } from './change-status.ts';
import { deleteContract } from './remove.ts';
import { getContract } from './get.ts';
import { inbox } from '../question/inbox.ts';
import { listQuestions } from '../question/get.ts';
import { revokeDaemon } from '../identity/daemons.ts';
import { cleanUp } from '../test-clean-up.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, taskRow } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24, settings: { completionGraceMs: 600_000 } });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const set = async (
  id: string,
  targetStatus: ContractStatus,
  words: { reason?: string; blocker?: string } = {},
): Promise<StatusChange> =>
  (await changeStatus(t.engine, by(t.owner), { id, targetStatus, ...words })).result;

describe('the end', () => {
  it('by cancelling stops agents, withdraws questions, keeps the work', async () => {
    const scene = await stage(t, { daemon });
    const id = scene.contract.id;
    const works = await running(scene, { name: 'works' });
    const waits = await spawned(scene, { name: 'waits' });
    await askQuestion(t.engine, by(scene.supervisor), zAskInput.parse({ question: 'Which?' }));
    await set(id, 'failed');
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({
      status: 'failed',
      failureReason: 'cancelled',
    });
    const open = await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: id,
      limit: 5,
    });
    expect(open.items).toEqual([]);
    expect((await inbox(t.engine, t.owner)).items.filter((item) => item.contractId === id)).toEqual(
      [],
    );
    const early = await refusal(deleteContract(t.engine, by(t.owner), { id, confirm: true }));
    expect(early.message).toContain('clean-up is still under way');
    await cleanUp(t, daemon);
    expect([(await taskRow(t, works.taskId)).status, (await taskRow(t, waits.id)).status]).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect(await set(id, 'archived')).toMatchObject({
      previousStatus: 'failed',
      newStatus: 'archived',
    });
  });

  it('by archiving a paused one ends what rests in it', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene, { name: 'rests' });
    await set(scene.contract.id, 'paused');
    await set(scene.contract.id, 'archived');
    await cleanUp(t, daemon);
    expect((await taskRow(t, task.taskId)).status).toBe('cancelled');
    expect((await taskRow(t, scene.supervisorTaskId)).status).toBe('cancelled');
  });

  it('does not wait for a machine that was revoked', async () => {
    const gone = await TestDaemon.join(t, { agents: ['gone'] });
    const contract = { agent: 'gone', repositories: [{ localPath: '/srv/gone' }] };
    const scene = await stage(t, { daemon: gone, contract });
    await set(scene.contract.id, 'failed', { reason: 'wrong machine' });
    await runJobs(t);
    await gone.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    await runJobs(t);
    await revokeDaemon(t.engine, by(t.owner), { id: gone.id });
    expect(
      (await deleteContract(t.engine, by(t.owner), { id: scene.contract.id, confirm: true })).result
        .deleted,
    ).toBe(true);
  });

  it('is not deleted before anybody was told to clean up', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    await set(id, 'failed');
    // Its agent has ended, and nobody has looked at it since.
    await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    await t.database.sql`update tasks set status = 'cancelled' where contract_id = ${id}`;
    const early = await refusal(deleteContract(t.engine, by(t.owner), { id, confirm: true }));
    expect(early).toMatchObject({
      code: 'INVALID_TRANSITION',
      message: expect.stringContaining('clean-up is still under way'),
    });
    await cleanUp(t, daemon);
    await deleteContract(t.engine, by(t.owner), { id, confirm: true });
  });

  it('and deletion asks first, removes all rows but the events, and is told', async () => {
    const scene = await stage(t, { daemon });
    const id = scene.contract.id;
    await running(scene, { name: 'works' });
    expect((await refusal(deleteContract(t.engine, by(t.owner), { id, confirm: true }))).code).toBe(
      'INVALID_TRANSITION',
    );
    await set(id, 'failed');
    await cleanUp(t, daemon);
    expect((await refusal(deleteContract(t.engine, by(t.owner), { id }))).code).toBe(
      'CONFIRMATION_REQUIRED',
    );
    const before = (await eventsOf(t, id)).length;
    await deleteContract(t.engine, by(t.owner), { id, confirm: true });
    expect((await refusal(getContract(t.engine, t.owner, { id }))).code).toBe('CONTRACT_NOT_FOUND');
    expect(await eventsOf(t, id)).toHaveLength(before);
    const left = await t.database.sql`
      select 'tasks' as what from tasks where contract_id = ${id} union all select 'questions' from questions where contract_id = ${id}
      union all select 'operations' from operations where contract_id = ${id} union all select 'waits' from waits where contract_id = ${id}
      union all select 'messages' from agent_messages where contract_id = ${id} union all select 'keys' from keys where contract_id = ${id}
      union all select 'kept' from kept_refs where contract_id = ${id} union all select 'activity' from contract_activity where contract_id = ${id}`;
    expect(left).toEqual([]);
    const [told] = await t.database
      .sql`select data from events where type = 'contract.deleted' and data ->> 'contractId' = ${id}`;
    expect(told?.['data']).toMatchObject({ slug: scene.contract.slug });
  });
});
