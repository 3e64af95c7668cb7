// The invariants, asked of Postgres, the ledger and git after everything has come to rest.
// Law: each check returns the rows that break it; an empty list is the only pass.
import postgres from 'postgres';
import type { Verdict } from './check/verdict.ts';
import { checkLedger, type LedgerLine } from './ledger.ts';

export type { Verdict } from './check/verdict.ts';

export async function checkEverything(
  databaseUrl: string,
  ledger: readonly LedgerLine[],
): Promise<Verdict> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const verdict: Verdict = { lost: [], doubled: [], broken: [] };
    verdict.doubled.push(...checkLedger(ledger));
    for (const { name, into, rows } of await Promise.all([...delivery(sql), ...uniqueness(sql)])) {
      for (const row of rows) verdict[into].push(`${name}: ${JSON.stringify(row)}`);
    }
    verdict.lost.push(...(await missingLines(sql, ledger)));
    return verdict;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

interface Invariant {
  readonly name: string;
  readonly into: keyof Verdict;
  readonly rows: readonly unknown[];
}

async function of(
  name: string,
  into: keyof Verdict,
  query: PromiseLike<readonly unknown[]>,
): Promise<Invariant> {
  return { name, into, rows: await query };
}

/** What was acknowledged is there, in order. */
function delivery(sql: postgres.Sql): Promise<Invariant>[] {
  return [
    of(
      'events have a gap (I8)',
      'lost',
      sql`select contract_id, count(*), max(seq) from events where contract_id is not null group by 1 having count(*) <> max(seq) or min(seq) <> 1`,
    ),
    of(
      'output has a gap (I9)',
      'lost',
      sql`
      select a.task_id, a.attempt, a.output_seq, coalesce(sum(o.count), 0) as stored from task_attempts a
        left join task_outputs o on o.task_id = a.task_id and o.attempt = a.attempt group by 1, 2, 3 having coalesce(sum(o.count), 0) <> a.output_seq`,
    ),
    of(
      'a move of a branch leaves out what was merged before',
      'lost',
      sql`
      select contract_id, n from (
        select m.contract_id, m.n, m.from_sha,
               lag(m.to_sha) over (partition by m.contract_id, t.repository_url, t.local_path order by m.n) as head
          from branch_moves m join operations o on o.id = m.operation_id join tasks t on t.id = o.task_id) step
       where head <> from_sha`,
    ),
    of(
      'mail was not queued (I2)',
      'lost',
      sql`select id, queue, job_id from outbox where published_at is null and not_before < clock() - interval '20 s'`,
    ),
  ];
}

/** What must happen once happened once, and what must not be is not. */
function uniqueness(sql: postgres.Sql): Promise<Invariant>[] {
  return [
    of(
      'two live attempts (I12)',
      'doubled',
      sql`select task_id from task_attempts where state in ('assigned', 'running') group by 1 having count(*) > 1`,
    ),
    of(
      'attempts have a gap (I16)',
      'broken',
      sql`select task_id from task_attempts group by 1 having count(*) <> max(attempt)`,
    ),
    of(
      'asked twice',
      'doubled',
      sql`select contract_id, question, count(*) from questions where question_type = 'general' and task_id is not null group by 1, 2 having count(*) > 1`,
    ),
    of(
      'two restorations of one epoch (I25)',
      'doubled',
      sql`select task_id, epoch from restorations group by 1, 2 having count(*) > 1`,
    ),
    of(
      'two notices of one epoch (I25)',
      'doubled',
      sql`select m.task_id, r.epoch from agent_messages m join restorations r on r.notice_message_id = m.id group by 1, 2 having count(*) > 1`,
    ),
    of(
      'spawned twice',
      'doubled',
      sql`select contract_id, name, count(*) from tasks group by 1, 2 having count(*) > 1`,
    ),
    of(
      'merged twice',
      'doubled',
      sql`select task_id, count(*) from events where type = 'task.merged' group by 1 having count(*) > 1`,
    ),
    of(
      'guard passed without a person (I29)',
      'broken',
      sql`
      select p.id from phase_changes p left join confirmations c on c.id = p.confirmation_id and c.decided_by_user_id is not null where p.guarded and c.id is null`,
    ),
    of(
      'epoch differs from attempt (I20)',
      'broken',
      sql`select s.task_id, s.epoch, t.current_attempt from supervisors s join tasks t on t.id = s.task_id where s.epoch <> t.current_attempt`,
    ),
    of(
      'reports were set aside',
      'broken',
      sql`select id, detail from audit where action = 'report.set_aside'`,
    ),
    of(
      'owner differs along a key (I43)',
      'broken',
      sql`select t.id from tasks t join contracts c on c.id = t.contract_id where c.owner_id <> t.owner_id`,
    ),
  ];
}

/** What an agent said in an attempt that ended well must all be stored. */
async function missingLines(sql: postgres.Sql, ledger: readonly LedgerLine[]): Promise<string[]> {
  const done = await sql<{ taskId: string; attempt: number; lines: string[] }[]>`
    select a.task_id as "taskId", a.attempt,
           coalesce((select array_agg(l->>'content') from task_outputs o, jsonb_array_elements(o.lines) l
                      where o.task_id = a.task_id and o.attempt = a.attempt), '{}') as lines
      from task_attempts a where a.state = 'done'`;
  const saidBy = Map.groupBy(
    ledger.filter(({ event }) => event === 'line'),
    ({ task, attempt }) => `${task} ${attempt}`,
  );
  return done.flatMap(({ taskId, attempt, lines }) => {
    const said = saidBy.get(`${taskId} ${attempt}`) ?? [];
    const stored = new Map<string, number>();
    for (const line of lines) stored.set(line, (stored.get(line) ?? 0) + 1);
    return said.flatMap((line) => {
      const left = stored.get(line.text ?? '') ?? 0;
      stored.set(line.text ?? '', left - 1);
      return left > 0 ? [] : [`output of ${taskId} attempt ${attempt} lacks "${line.text}"`];
    });
  });
}
