// Rows in which what is stored or queued is bad: snapshots that do not verify, jobs that nobody can read, an agent
// that dies at once, over and over.
import { openBus, type Bus } from '@makima/bus/queues';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { leftAlone } from '../../load/person.ts';
import { endOf } from '../../load/contracts.ts';
import { found } from '../../pause.ts';
import type { Row, RowStage } from '../row.ts';
import { agentOf, finish, killNow, patienceMs, tellOf, untilEvent, untilRow } from './stage.ts';

export const poisonRows = {
  T46: {
    about:
      'every new snapshot of a supervisor poisoned: another shape, another checksum, a schema of the future, 50 MB',
    async story(stage) {
      const { house, verdict } = stage;
      const told = await tellOf(stage, 'poisoned', [
        { ask: { question: 'Ready?', choices: ['yes'] }, as: 'ready' },
        { wait_message: { containing: 'go' } },
        ...finish,
      ]);
      await untilEvent(stage, told, 'question.answered');
      await untilRow(
        stage,
        'a snapshot',
        () => house.sql`select 1 from conversation_snapshots where task_id = ${told.supervisorId}`,
      );
      await poisonSnapshots(stage, told.supervisorId);
      killNow(await agentOf(stage, told.supervisorId));
      await agentOf(stage, told.supervisorId, 2);
      await expectSetAside(stage, told.supervisorId);
      await house.sql`drop trigger chaos_poison on conversation_snapshots`;
      await house.client.call('messageTask', {
        params: { id: told.supervisorId },
        body: { message: 'go', mode: 'steer' },
      });
      const status = await endOf(house, told, patienceMs);
      if (status !== 'completed') verdict.broken.push(`it ended as ${status ?? 'nothing'}`);
    },
  },
  T47: {
    about: 'jobs that nobody can read, and jobs about nothing',
    async story(stage) {
      const bus = await readyBus(stage);
      try {
        await poisonedJobs(bus);
        await behindPoison(stage);
        await expectJobsOver(stage, bus);
      } finally {
        await bus.close();
      }
    },
  },
  T48: {
    about: 'a supervisor whose agent dies at once, every time',
    async story(stage) {
      const { house, verdict } = stage;
      const told = await tellOf(stage, leftAlone, [{ crash: { once: false } }]);
      await untilRow(
        stage,
        'the block of a crash loop (I24)',
        () => house.sql`select 1 from contracts where id = ${told.id} and status = 'blocked'`,
        90_000,
      );
      const [row] = await house.sql<{ count: number }[]>`
        select count(*)::int as count from restorations where task_id = ${told.supervisorId}`;
      if ((row?.count ?? 0) > 5) verdict.broken.push(`${row?.count} restorations in a row (I24)`);
      await untilRow(
        stage,
        'the question to a person (I24)',
        () => house.sql`
          select 1 from questions where contract_id = ${told.id} and status = 'open' and ask_key like 'breaker-%'`,
      );
    },
  },
} as const satisfies Readonly<Record<string, Row>>;

/** Those that stand, and all that are saved from now on, as if the disk wrote something else than it was told. */
async function poisonSnapshots({ house: { sql } }: RowStage, taskId: string): Promise<void> {
  await sql.unsafe(`
    create sequence if not exists chaos_poisoned;
    grant usage on sequence chaos_poisoned to public;
    create or replace function chaos_poison() returns trigger language plpgsql as $$
    declare how int := nextval('chaos_poisoned') % 4;
    begin
      if pg_trigger_depth() > 1 then return null; end if;
      update conversation_snapshots set
        state = case how
                  when 0 then '{"not": "what it was"}'::jsonb
                  when 3 then jsonb_build_object('fat', repeat('x', 50000000)) else state end,
        sha256 = case when how = 1 then repeat('0', 64) else sha256 end,
        schema_version = case when how = 2 then 999 else schema_version end
       where id = new.id and task_id = '${taskId}';
      return null;
    end $$;
    create trigger chaos_poison after insert or update of metadata on conversation_snapshots
      for each row execute function chaos_poison()`);
  await sql`update conversation_snapshots set metadata = metadata where task_id = ${taskId}`;
}

/** What was tried is set aside with its reason; the restoration says so, and went by the rows (I22, I23). */
async function expectSetAside({ house, verdict, say }: RowStage, taskId: string): Promise<void> {
  const bad = await house.sql<{ reason: string }[]>`
    select quarantined_reason as reason from conversation_snapshots
     where task_id = ${taskId} and quarantined_reason is not null`;
  say(`set aside: ${bad.map(({ reason }) => reason).join('; ')}`);
  if (bad.length === 0) verdict.broken.push('no poisoned snapshot was set aside (I22)');
  const [told] = await house.sql<{ kinds: string }[]>`
    select findings::text as kinds from restorations where task_id = ${taskId} order by epoch limit 1`;
  if (told?.kinds.includes('snapshot_invalid') !== true)
    verdict.broken.push(`the restoration says nothing of a bad snapshot: ${told?.kinds} (I22)`);
}

/** What stands behind poisoned jobs is done as if they were not there. */
async function behindPoison(stage: RowStage): Promise<void> {
  const told = await tellOf(stage, 'after-poison', finish);
  const status = await endOf(stage.house, told, patienceMs);
  if (status !== 'completed')
    stage.verdict.broken.push(`behind poisoned jobs it ended as ${status ?? 'nothing'} (I35)`);
}

async function readyBus({ house }: RowStage): Promise<Bus> {
  const bus = openBus({
    url: house.stack.addresses.redisUrl,
    log: createLog({ service: 'chaos', level: 'error' }),
    metrics: createMetrics({ service: 'chaos' }),
  });
  await new Promise<void>((resolve) => (bus.ready ? resolve() : void bus.onReady(resolve)));
  return bus;
}

const nobody = '00000000-0000-7000-8000-000000000000';

/** What is put into the queue by hand, and what becomes of it: set aside, done for nothing, left to a newer build. */
const poisons = [
  { payload: { nothing: 'that anybody knows' }, over: ['failed'] },
  { payload: { v: 1, ownerId: nobody, taskId: nobody }, over: ['completed', 'failed'] },
  { payload: { v: 999, ownerId: nobody, taskId: nobody }, over: ['delayed', 'failed'] },
] as const;

const poisonId = (n: number): string => `chaos_poison_${n}`;

async function poisonedJobs(bus: Bus): Promise<void> {
  await bus.add(
    poisons.map(({ payload }, n) => ({
      queue: 'spawn-task' as const,
      jobId: poisonId(n),
      payload: payload as never,
    })),
  );
}

async function expectJobsOver({ verdict }: RowStage, bus: Bus): Promise<void> {
  const queue = bus.inner.queues.get('spawn-task');
  for (const [n, { over }] of poisons.entries()) {
    let state = 'gone';
    const ended = await found(
      async () => {
        state = (await (await queue?.getJob(poisonId(n)))?.getState()) ?? 'gone';
        return over.some((one) => one === state) ? true : undefined;
      },
      { withinMs: 30_000 },
    );
    if (ended === undefined)
      verdict.broken.push(`a poisoned job is ${state}, and should be ${over.join(' or ')} (I35)`);
  }
}
