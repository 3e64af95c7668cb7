/** Rows that should have a job: each kind gets a ticket, once, with a new id and growing pauses. */
import { describe, expect, it } from 'vitest';
import { jobs, type JobName } from '@makima/contracts/jobs';
import { insertWait } from '@makima/db/repo/waits';
import { inTransaction } from '@makima/db/tx';
import { requeueDue } from '@makima/engine/outbox/requeue';
import { endedReport, type House } from '@makima/engine/test/house';
import { createWebhook } from '@makima/engine/webhook/create';
import { testWebhook } from '@makima/engine/webhook/replay';
import { mailOf, relayed, testHouse } from '../test/kit.ts';

/** Everything that is mailed is gone, as after a lost Redis; then what is due is requeued. */
async function requeued(house: House, olderThanMs = 0): Promise<string[]> {
  await relayed(house);
  await requeueDue(house.engine, { olderThanMs });
  const mail = await mailOf(house);
  for (const one of mail) {
    expect(jobs[one.queue as JobName].payload.safeParse(one.payload)).toMatchObject({
      success: true,
    });
  }
  return mail.map((one) => one.jobId);
}

const ofKind = (ids: readonly string[], kind: string): string[] =>
  ids.filter((id) => id.startsWith(`${kind}_`));

async function running(house: House) {
  const machine = await house.connect();
  const contract = await house.contract();
  const task = await house.spawn(contract.id);
  await house.assign(machine);
  const supervisor = { taskId: contract.supervisorTaskId ?? '', attempt: 1 };
  return { machine, contract, task: { taskId: task.id, attempt: 1 }, supervisor };
}

describe('requeueing', () => {
  it('gives an owner one placement, whatever is pending', async () => {
    const house = await testHouse();
    const contract = await house.contract();
    await house.spawn(contract.id);
    const ids = ofKind(await requeued(house), 'spawn-task');
    expect(ids).toEqual([`spawn-task_${contract.supervisorTaskId}_0_r1`]);
  });

  it('leaves alone what waits for another task, for its time, or for its contract', async () => {
    const house = await testHouse();
    const contract = await house.contract();
    const { sql } = house.engine.database;
    await sql`update tasks set resume_at = clock() + interval '1 h'`;
    expect(ofKind(await requeued(house), 'spawn-task')).toEqual([]);
    await sql`update tasks set resume_at = null`;
    await sql`update contracts set status = 'paused' where status = 'active'`;
    expect(ofKind(await requeued(house), 'spawn-task')).toEqual([]);
    await sql`update contracts set status = 'active'`;
    const task = await house.spawn(contract.id);
    await sql`update tasks set status = 'done' where is_supervisor`;
    await sql`update tasks set needs = array[${contract.supervisorTaskId}::uuid]`;
    expect(ofKind(await requeued(house), 'spawn-task')).toEqual([`spawn-task_${task.id}_0_r1`]);
  });

  it('has an endpoint looked at for which something is due, and no other', async () => {
    const house = await testHouse();
    const call = { caller: house.owner };
    const made = async () => {
      const { result } = await createWebhook(house.engine, call, {
        kind: 'webhook',
        url: 'https://hooks.example.com/',
        contractIds: [],
      });
      return result.webhook.id;
    };
    const [id, quiet] = [await made(), await made()];
    await testWebhook(house.engine, call, { id });
    const tickets = async () => ofKind(await requeued(house), 'deliver-notification');
    expect(await tickets()).toEqual([`deliver-notification_${id}_1_r1`]);
    const { sql } = house.engine.database;
    await sql`update webhooks set lease_until = clock() + interval '1 minute' where id = ${id}`;
    expect(await tickets()).toEqual([]);
    await sql`update webhooks set lease_until = clock() - interval '1 s' where id = ${id}`;
    expect(await tickets()).toEqual([`deliver-notification_${id}_1_r2`]);
    await sql`update webhook_deliveries set next_try_at = clock() + interval '1 h'`;
    expect(await tickets()).toEqual([]);
    await sql`
      insert into webhook_deliveries (owner_id, webhook_id, event_id, event_type, body)
      values (${house.ownerId}, ${quiet}, 1, 'contract.created', '{}')`;
    await sql`update webhooks set paused_until = clock() + interval '1 h' where id = ${quiet}`;
    expect(await tickets()).toEqual([]);
    await sql`update webhooks set paused_until = null where id = ${quiet}`;
    expect(await tickets()).toEqual([`deliver-notification_${quiet}_1_r1`]);
    await sql`update webhooks set status = 'disabled' where id = ${quiet}`;
    await sql`delete from requeues`;
    expect(await tickets()).toEqual([]);
  });

  it('retries interrupted tasks and restores interrupted supervisors', async () => {
    const house = await testHouse();
    const { machine, task, supervisor } = await running(house);
    await machine.report(
      endedReport(task, { outcome: 'crashed' }),
      endedReport(supervisor, { outcome: 'crashed' }),
    );
    const ids = await requeued(house);
    expect(ofKind(ids, 'retry-task')).toEqual([`retry-task_${task.taskId}_1_r1`]);
    expect(ofKind(ids, 'restore-supervisor')).toEqual([
      `restore-supervisor_${supervisor.taskId}_1_r1`,
    ]);
  });

  it('wakes a parked supervisor whose wait has ended, and no other', async () => {
    const house = await testHouse();
    const { machine, contract, supervisor } = await running(house);
    const wait = await inTransaction(house.engine.database, (tx) =>
      insertWait(tx, {
        ownerId: house.ownerId,
        contractId: contract.id,
        taskId: supervisor.taskId,
        kind: 'time',
        targetIds: [],
        until: null,
      }),
    );
    await machine.report(endedReport(supervisor, { outcome: 'parked' }));
    expect(ofKind(await requeued(house), 'wake-supervisor')).toEqual([]);
    const { sql } = house.engine.database;
    await sql`update waits set state = 'satisfied', ended_at = clock() where id = ${wait.id}`;
    expect(ofKind(await requeued(house), 'wake-supervisor')).toEqual([
      `wake-supervisor_${supervisor.taskId}_1_r1`,
    ]);
  });

  it('cleans contracts that ended, and looks once at one that rests', async () => {
    const house = await testHouse();
    const { contract } = await running(house);
    const { sql } = house.engine.database;
    await sql`update contract_activity set last_progress_at = clock() - interval '2 min'`;
    expect(ofKind(await requeued(house, 10_000), 'evaluate-contract')).toHaveLength(1);
    expect(ofKind(await requeued(house, 10_000), 'evaluate-contract')).toHaveLength(0);
    await sql`update contracts set status = 'failed', failure_reason = 'x', status_changed_at = clock() where id = ${contract.id}`;
    const ids = await requeued(house);
    expect(ofKind(ids, 'clean-contract')).toHaveLength(1);
    expect(ofKind(ids, 'evaluate-contract')).toHaveLength(0);
  });

  it('waits for its age, and for mail that is on its way', async () => {
    const house = await testHouse();
    await house.contract();
    await requeueDue(house.engine, { olderThanMs: 0 });
    const spawns = await mailOf(house, 'spawn-task');
    expect(spawns.map((one) => one.jobId.endsWith('_r1'))).toEqual([false]);
    expect(await requeued(house, 10_000)).toEqual([]);
    expect(await requeued(house)).not.toEqual([]);
  });

  it('counts, spaces its tickets, and forgets the spacing when Redis is lost', async () => {
    const house = await testHouse();
    await house.contract();
    const { sql } = house.engine.database;
    await sql`update tasks set pending_since = clock() - interval '1 h'`;
    const spawns = async (olderThanMs: number): Promise<string[]> =>
      ofKind(await requeued(house, olderThanMs), 'spawn-task').map(
        (id) => id.split('_').at(-1) ?? '',
      );
    const wait = (seconds: number) =>
      sql`update requeues set last_at = last_at - make_interval(secs => ${seconds})`;
    expect(await spawns(10_000)).toEqual(['r1']);
    expect(await spawns(10_000)).toEqual([]);
    await wait(31);
    expect(await spawns(10_000)).toEqual(['r2']);
    await wait(31);
    expect(await spawns(10_000)).toEqual([]);
    await wait(30);
    expect(await spawns(10_000)).toEqual(['r3']);
    expect(await spawns(0)).toEqual(['r4']);
  });
});
