/**
 * What must hold in the rows whatever happened (reliability, part C): each question names the rows that
 * break it.
 */
import type { TestEngine } from './test-engine.ts';

export async function brokenInvariants(t: TestEngine): Promise<Record<string, unknown[]>> {
  const { sql } = t.database;
  const found = {
    'I8 events of a contract are numbered without a gap': await sql`
      select contract_id from events where contract_id is not null
       group by 1 having count(*) <> max(seq) or min(seq) <> 1`,
    'I8 the cursor is at the last event': await sql`
      select c.contract_id from contract_cursors c
       where c.seq <> (select coalesce(max(seq), 0) from events e where e.contract_id = c.contract_id)`,
    'counts of contracts are what a count over their rows would be': await sql`
      select coalesce(c.owner_id, n.owner_id) as owner_id
        from (select owner_id, status as one, phase as two, count(*) as n from contracts group by 1, 2, 3) c
        full join (select owner_id, one, two, sum(n) as n from tallies where kind = 'contract'
                    group by 1, 2, 3 having sum(n) <> 0) n using (owner_id, one, two)
       where c.n is distinct from n.n`,
    'a move of a branch begins at the head': await sql`
      select contract_id, n from (
        select m.contract_id, m.n, m.from_sha,
               lag(m.to_sha) over (partition by m.contract_id, t.repository_url, t.local_path order by m.n) as head
          from branch_moves m join operations o on o.id = m.operation_id join tasks t on t.id = o.task_id) step
       where head <> from_sha`,
    'I9 output of an attempt has no gap': await sql`
      select a.task_id, a.attempt from task_attempts a
       where a.output_seq <> (select coalesce(sum(count), 0) from task_outputs o
                               where o.task_id = a.task_id and o.attempt = a.attempt)`,
    'I13 a running task has a live attempt': await sql`
      select t.id from tasks t where t.status in ('starting', 'running')
         and not exists (select 1 from task_attempts a where a.task_id = t.id and a.attempt = t.current_attempt
                            and a.state in ('assigned', 'running') and a.lease_expires_at is not null)`,
    'who is parked or limited has no live attempt and no lease': await sql`
      select t.id from tasks t join task_attempts a on a.task_id = t.id
       where t.session in ('parked', 'limited') and a.state in ('assigned', 'running')`,
    'I16 attempts are 1..n and the newest is the present one': await sql`
      select t.id from tasks t where t.current_attempt <> (
        select count(*) from task_attempts a where a.task_id = t.id)`,
    'I16 only the newest attempt may be live': await sql`
      select a.task_id from task_attempts a join tasks t on t.id = a.task_id
       where a.state in ('assigned', 'running') and a.attempt <> t.current_attempt`,
    'I17 a task that is done has a done attempt, or finished work of one that was given up':
      await sql`
      select t.id from tasks t where t.status in ('done', 'merged') and not t.is_supervisor
         and not exists (select 1 from task_attempts a where a.task_id = t.id
                            and a.attempt = t.current_attempt and (a.state = 'done'
                             or a.state in ('lost', 'fenced') and not a.superseded and a.summary is not null))`,
    'I20 the epoch of a supervisor is the attempt of its task': await sql`
      select s.task_id from supervisors s join tasks t on t.id = s.task_id
       where s.epoch <> t.current_attempt`,
    'I25 conversations have no gap': await sql`
      select task_id from conversation_messages group by 1 having count(*) <> max(seq)`,
    'I28 each phase change made the next version of a path': await sql`
      select p.contract_id from phase_changes p
       where p.from_phase <> coalesce((select b.to_phase from phase_changes b
              where b.contract_id = p.contract_id and b.version < p.version order by b.version desc limit 1),
              (select c.contract_type -> 'phases' -> 0 ->> 'name' from contracts c where c.id = p.contract_id))`,
    'I29 a guarded change has a yes of a person for that very step': await sql`
      select p.id from phase_changes p left join confirmations c
          on c.id = p.confirmation_id and c.decided_by_user_id is not null and c.state = 'used'
         and c.from_phase = p.from_phase and c.to_phase = p.to_phase and c.contract_version = p.version - 1
       where p.guarded and c.id is null`,
    'I36 no task is spawned while its contract is paused': await sql`
      select e.id from events e where e.type = 'task.spawned' and (
        select s.data ->> 'to' from events s
         where s.contract_id = e.contract_id and s.type = 'contract.status_changed' and s.seq < e.seq
         order by s.seq desc limit 1) = 'paused'`,
    'I43 owners agree': await sql`
      select t.id from tasks t join contracts c on c.id = t.contract_id where c.owner_id <> t.owner_id`,
    'a contract waits for input exactly as long as something is open': await sql`
      select c.id from contracts c where c.status = 'waiting_for_input' and not exists (
        select 1 from questions q where q.contract_id = c.id and q.status = 'open' and not q.non_blocking)`,
    'a contract that is over asks nothing': await sql`
      select q.id from questions q join contracts c on c.id = q.contract_id
       where q.status = 'open' and c.status in ('completed', 'failed')`,
    'places are not given twice': await sql`
      select d.id from daemons d where d.max_concurrent_tasks < (
        select count(*) from task_attempts a where a.daemon_id = d.id and a.state in ('assigned', 'running'))`,
  };
  return Object.fromEntries(Object.entries(found).filter(([, rows]) => rows.length > 0));
}
