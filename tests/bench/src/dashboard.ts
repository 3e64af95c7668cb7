// The dashboard of an owner with a long history: made in the store, then read over the real API.
// Why: its cost must follow what it shows, not what there is; 10 x the history must not be felt.
import { createClient, type Client } from '@makima/client/client';
import postgres from 'postgres';
import { builtinTypes } from '@makima/domain/contract-type';
import { startTestStack } from '@makima/stack/test-stack';
import { figuresOf, type Figures } from './figures.ts';

export interface DashboardFigures {
  readonly contracts: number;
  readonly tasks: number;
  readonly events: number;
  readonly madeInSeconds: number;
  /** A request that reads nothing but its key, in the same run. */
  readonly floorMs: Figures;
  readonly dashboardMs: Figures;
  readonly listMs: Figures;
}

/** Of 1: 100,000 contracts, 1,000,000 tasks, 10,000,000 events of one owner. */
export async function benchDashboard(options: {
  readonly scale: number;
  readonly reads: number;
  readonly say: (line: string) => void;
}): Promise<DashboardFigures> {
  const contracts = Math.max(100, Math.round(100_000 * options.scale));
  const house = await startTestStack({
    daemon: 'none',
    env: {
      LOG_LEVEL: 'warn',
      MAKIMA_LIMITS: 'requestsPerKeyPerMinuteMax=1000000',
      // The history is as it was made.
      MAKIMA_STALE_DETECTION_INTERVAL_SECONDS: '86400',
    },
  });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  const sql = postgres(house.stack.addresses.databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const began = performance.now();
    const { ownerId } = await client.call('whoAmI');
    await makeHistory(sql, { ownerId, contracts });
    const madeInSeconds = Math.round((performance.now() - began) / 1_000);
    options.say(`${contracts} contracts made in ${madeInSeconds} s`);
    const seen = await client.call('contractsDashboard');
    const counted = Object.values(seen.statusCounts).reduce((sum, n) => sum + n, 0);
    if (counted !== contracts) throw new Error(`it counts ${counted} of ${contracts} contracts`);
    return {
      contracts,
      tasks: contracts * tasksEach,
      events: contracts * eventsEach,
      madeInSeconds,
      floorMs: figuresOf(await timed(options.reads, () => client.call('whoAmI'))),
      dashboardMs: figuresOf(await timed(options.reads, () => client.call('contractsDashboard'))),
      listMs: figuresOf(await timed(options.reads, () => listPage(client))),
    };
  } finally {
    await sql.end();
    await house.stop();
  }
}

const tasksEach = 10;
const eventsEach = 100;
/** Contracts whose rows are made in one statement. */
const atOnce = 10_000;

const listPage = (client: Client) => client.call('listContracts', { query: { limit: 50 } });

async function timed(count: number, call: () => Promise<unknown>): Promise<number[]> {
  for (let n = 0; n < 20; n++) await call();
  const ms: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    await call();
    ms.push(performance.now() - began);
  }
  return ms;
}

interface History {
  readonly ownerId: string;
  readonly contracts: number;
}

/** Rows as verbs leave them: 20 % active, 1 % waiting, 1 % stale, 2 % of the tasks open, the rest long ended. */
async function makeHistory(sql: postgres.Sql, { ownerId, contracts }: History): Promise<void> {
  // The rows are made as they would be in the end, so that no trigger has to lead them there.
  await sql`set session_replication_role = replica`;
  const type = JSON.stringify(builtinTypes.simple);
  for (let from = 1; from <= contracts; from += atOnce) {
    const to = Math.min(contracts, from + atOnce - 1);
    await sql`
      insert into contracts (owner_id, slug, name, description, contract_type, phase, guarded_phases, status, waiting_for, agent, status_changed_at)
      select ${ownerId}, 'bench-' || n, 'bench ' || n, 'bench',
             ${type}::text::jsonb,
             case when n % 3 = 0 then 'plan' else 'execute' end, '{}',
             case when n % 100 = 0 then 'waiting_for_input' when n % 5 = 0 then 'active' else 'completed' end,
             case when n % 100 = 0 then 'question' end, 'scripted', now() - make_interval(secs => ${contracts} - n)
        from generate_series(${from}::int, ${to}::int) n`;
  }
  await sql`insert into contract_cursors (contract_id, owner_id, seq) select id, owner_id, ${eventsEach} from contracts where owner_id = ${ownerId}`;
  await sql`
    insert into tallies (owner_id, kind, one, two, n)
    select owner_id, 'contract', status, phase, count(*) from contracts where owner_id = ${ownerId} group by 1, 2, 3, 4`;
  await sql`
    insert into incidents (owner_id, kind, subject, detail)
    select owner_id, 'contract_stale', id::text, '{}' from contracts
     where owner_id = ${ownerId} and status = 'active' order by id limit ${Math.ceil(contracts / 100)}`;
  await makeTasks(sql, { ownerId, contracts });
  await makeEvents(sql, { ownerId, contracts });
  // Last, so that nothing has rested long enough to be looked at again while it is measured.
  await sql`insert into contract_activity (contract_id, owner_id) select id, owner_id from contracts where owner_id = ${ownerId}`;
  await sql`set session_replication_role = default`;
  await sql`vacuum (analyze) contracts, tasks, events, tallies, incidents, contract_activity`;
  // The making is not part of what is measured: nothing of it is still to be written.
  await sql`checkpoint`;
}

/** Contracts whose tasks or events are made in one statement. */
const some = 5_000;

async function makeTasks(sql: postgres.Sql, { ownerId, contracts }: History): Promise<void> {
  await sql`create temp table bench_contracts as
    select id, row_number() over (order by id) as n from contracts where owner_id = ${ownerId}`;
  await sql`create index on bench_contracts (n)`;
  for (let from = 1; from <= contracts; from += some)
    await sql`
      insert into tasks (owner_id, contract_id, name, plan, agent, status, is_supervisor, created_at)
      select ${ownerId}, c.id, 'task ' || k, 'bench', 'scripted',
             case when (c.n * ${tasksEach} + k) % 100 = 0 then 'running' when (c.n * ${tasksEach} + k) % 100 = 1 then 'pending' else 'done' end,
             k = 0, now()
        from bench_contracts c, generate_series(0, ${tasksEach - 1}::int) k where c.n between ${from} and ${from + some - 1}`;
}

/** Ten million rows come in and are sorted once, instead of each finding its place in each index. */
async function makeEvents(sql: postgres.Sql, { ownerId, contracts }: History): Promise<void> {
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition from pg_indexes
     where tablename = 'events' and indexname in ('events_contract_seq', 'events_owner')`;
  for (const { name } of indexes) await sql`drop index ${sql(name)}`;
  for (let from = 1; from <= contracts; from += some)
    await sql`
      insert into events (owner_id, contract_id, task_id, seq, type, actor, data, at)
      select ${ownerId}, c.id, c.id, k,
             case when k % 10 = 0 then 'supervisor.state_changed' when k % 10 = 1 then 'task.completed' else 'wait.started' end,
             '{"kind":"system","id":null,"name":"bench"}', '{"from":"idle","to":"working","name":"bench"}', now()
        from bench_contracts c, generate_series(1, ${eventsEach}::int) k where c.n between ${from} and ${from + some - 1}`;
  await sql`set maintenance_work_mem = '1GB'`;
  for (const { definition } of indexes) await sql.unsafe(definition);
}
