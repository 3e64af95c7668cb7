-- A contract becomes active when it has a supervisor, whoever writes it.
create or replace function refuse_contract_change() returns trigger language plpgsql as $$
begin
  if new.owner_id <> old.owner_id then
    raise exception 'a contract keeps its owner' using errcode = 'check_violation', constraint = 'contracts_owner_kept';
  end if;
  if new.status <> old.status and not (old.status || '>' || new.status = any (array[
    'created>active', 'created>failed',
    'active>waiting_for_input', 'active>paused', 'active>blocked', 'active>completing', 'active>failed',
    'waiting_for_input>active', 'waiting_for_input>paused', 'waiting_for_input>completing', 'waiting_for_input>failed',
    'paused>active', 'paused>archived', 'paused>failed',
    'blocked>active', 'blocked>archived', 'blocked>failed',
    'completing>completed', 'completing>active', 'completing>failed',
    'completed>archived', 'failed>archived'])) then
    raise exception 'a contract cannot go from % to %', old.status, new.status
      using errcode = 'check_violation', constraint = 'contracts_transition';
  end if;
  if old.status = 'created' and new.status = 'active' and new.supervisor_task_id is null then
    raise exception 'a contract begins with its supervisor' using errcode = 'check_violation', constraint = 'contracts_supervisor';
  end if;
  if new.phase <> old.phase then
    if new.version <> old.version + 1 then
      raise exception 'a phase change makes the next version' using errcode = 'check_violation', constraint = 'contracts_phase_version';
    end if;
    if old.phase = any (old.guarded_phases) and not exists (
      select 1 from confirmations c
        join users u on u.owner_id = c.owner_id and u.id = c.decided_by_user_id and u.role in ('owner', 'member')
       where c.owner_id = old.owner_id and c.contract_id = old.id and c.kind = 'phase' and c.state = 'approved'
         and c.from_phase = old.phase and c.to_phase = new.phase and c.contract_version = old.version) then
      raise exception 'the guarded phase % is left only with a person''s confirmation of version %', old.phase, old.version
        using errcode = 'check_violation', constraint = 'contracts_phase_guard';
    end if;
  end if;
  return new;
end $$;
