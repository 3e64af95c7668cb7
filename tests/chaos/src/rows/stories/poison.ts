// Rows in which what is stored or queued is bad: snapshots that do not verify, jobs that nobody can read, an agent
// that dies at once, over and over.
import { openBus } from '@makima/bus/queues';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { leftAlone } from '../../load/person.ts';
import { endOf } from '../../load/contracts.ts';
import type { Row, RowStage } from '../row.ts';
import { agentOf, finish, killNow, patienceMs, tellOf, untilEvent, untilRow } from './stage.ts';

export const poisonRows = {
  T46: {
    about:
      'every snapshot of a supervisor poisoned: another shape, another checksum, a schema of the future',
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
      await house.sql`
        with numbered as (
          select id, row_number() over (order by id) % 3 as how from conversation_snapshots
           where task_id = ${told.supervisorId})
        update conversation_snapshots s set
          state = case when n.how = 0 then '{"not": "what it was"}'::jsonb else s.state end,
          sha256 = case when n.how = 1 then repeat('0', 64) else s.sha256 end,
          schema_version = case when n.how = 2 then 999 else s.schema_version end
          from numbered n where n.id = s.id`;
      killNow(await agentOf(stage, told.supervisorId));
      await agentOf(stage, told.supervisorId, 2);
      const bad = await house.sql<{ reason: string | null }[]>`
        select quarantined_reason as reason from conversation_snapshots
         where task_id = ${told.supervisorId} and epoch = 1 and quarantined_reason is not null`;
      if (bad.length === 0) verdict.broken.push('no poisoned snapshot was set aside (I22)');
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
      await poisonedJobs(stage);
      const told = await tellOf(stage, 'after-poison', finish);
      const status = await endOf(stage.house, told, patienceMs);
      if (status !== 'completed')
        stage.verdict.broken.push(`behind poisoned jobs it ended as ${status ?? 'nothing'} (I35)`);
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
    },
  },
} as const satisfies Readonly<Record<string, Row>>;

async function poisonedJobs({ house }: RowStage): Promise<void> {
  const bus = openBus({
    url: house.stack.addresses.redisUrl,
    log: createLog({ service: 'chaos', level: 'error' }),
    metrics: createMetrics({ service: 'chaos' }),
  });
  const nobody = '00000000-0000-7000-8000-000000000000';
  const payloads = [
    { v: 999, ownerId: nobody, taskId: nobody },
    { nothing: 'that anybody knows' },
    { v: 1, ownerId: nobody, taskId: nobody },
  ];
  try {
    await new Promise<void>((resolve) => (bus.ready ? resolve() : void bus.onReady(resolve)));
    await bus.add(
      payloads.map((payload, n) => ({
        queue: 'spawn-task' as const,
        jobId: `chaos_poison_${n}`,
        payload: payload as never,
      })),
    );
  } finally {
    await bus.close();
  }
}
