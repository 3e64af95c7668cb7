-- Heartbeats of supervisors: one partition a day (UTC), so that what is old goes by dropping a table. No
-- foreign keys: dropping a partition must not lock the tables that everybody works on.
create table supervisor_heartbeats (
  task_id uuid not null,
  at timestamptz not null default clock(),
  owner_id uuid not null,
  contract_id uuid not null,
  epoch integer not null,
  state text not null,
  phase text not null,
  current_activity text,
  progress integer not null,
  pending_task_ids uuid[] not null default '{}',
  primary key (task_id, at)
) partition by range (at);
--> statement-breakpoint
-- Makes the partitions of yesterday, today and tomorrow by clock(); with `keep`, drops those that end before
-- clock() - keep. Answers how many were made and dropped. One at a time; nobody waits long for it.
create function tend_heartbeat_partitions(keep interval) returns integer language plpgsql as $$
declare
  today date := (clock() at time zone 'UTC')::date;
  day date;
  part text;
  changed integer := 0;
begin
  perform set_config('lock_timeout', '2s', true);
  perform pg_advisory_xact_lock(hashtext('makima heartbeat partitions'));
  for day in select generate_series(today - 1, today + 1, interval '1 day')::date loop
    part := 'supervisor_heartbeats_' || to_char(day, 'YYYYMMDD');
    if to_regclass(part) is null then
      execute format('create table %I partition of supervisor_heartbeats for values from (%L) to (%L)',
                     part, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
      changed := changed + 1;
    end if;
  end loop;
  if keep is not null then
    for part in
      select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'supervisor_heartbeats'::regclass
         and (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp at time zone 'UTC' <= clock() - keep
         and to_date(right(c.relname, 8), 'YYYYMMDD') < today - 1
    loop
      execute format('drop table %I', part);
      changed := changed + 1;
    end loop;
  end if;
  return changed;
end $$;
--> statement-breakpoint
select tend_heartbeat_partitions(null);
