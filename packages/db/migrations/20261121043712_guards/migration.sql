-- What must not be, whoever writes it: the second wall behind the verbs.

create function refuse_contract_change() returns trigger language plpgsql as $$
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
--> statement-breakpoint
create trigger contracts_refuse before update on contracts for each row execute function refuse_contract_change();
--> statement-breakpoint
create function refuse_task_change() returns trigger language plpgsql as $$
begin
  if new.owner_id <> old.owner_id or new.contract_id is distinct from old.contract_id then
    raise exception 'a task keeps its owner and contract' using errcode = 'check_violation', constraint = 'tasks_owner_kept';
  end if;
  if new.status <> old.status and old.status in ('done', 'failed', 'merged', 'cancelled')
     and not (old.status = 'done' and new.status = 'merged') then
    raise exception 'a task that is % stays so', old.status using errcode = 'check_violation', constraint = 'tasks_terminal';
  end if;
  if new.current_attempt < old.current_attempt then
    raise exception 'attempts only rise' using errcode = 'check_violation', constraint = 'tasks_attempt_rises';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger tasks_refuse before update on tasks for each row execute function refuse_task_change();
--> statement-breakpoint
create function refuse_attempt() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.attempt <> 1 + coalesce((select max(attempt) from task_attempts where task_id = new.task_id), 0) then
      raise exception 'attempts of a task are numbered without a gap' using errcode = 'check_violation', constraint = 'task_attempts_gapless';
    end if;
    return new;
  end if;
  if new.state <> old.state and old.state not in ('assigned', 'running') then
    raise exception 'an attempt that is % stays so', old.state using errcode = 'check_violation', constraint = 'task_attempts_terminal';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger task_attempts_refuse before insert or update on task_attempts for each row execute function refuse_attempt();
--> statement-breakpoint
create function refuse_question_change() returns trigger language plpgsql as $$
begin
  if old.status <> 'open' and (new.status <> old.status or new.response is distinct from old.response) then
    raise exception 'a question is answered once' using errcode = 'check_violation', constraint = 'questions_answered_once';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger questions_refuse before update on questions for each row execute function refuse_question_change();
--> statement-breakpoint
create function refuse_confirmation_change() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and old.state <> 'open' and not (old.state = 'approved' and new.state in ('used', 'void')) then
    raise exception 'a confirmation is decided once' using errcode = 'check_violation', constraint = 'confirmations_decided_once';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger confirmations_refuse before update on confirmations for each row execute function refuse_confirmation_change();
--> statement-breakpoint
create function refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'check_violation', constraint = tg_table_name || '_append_only';
end $$;
--> statement-breakpoint
create trigger audit_append_only before update or delete on audit for each row execute function refuse_rewrite();
--> statement-breakpoint
create trigger events_append_only before update on events for each row execute function refuse_rewrite();
--> statement-breakpoint
create trigger conversation_messages_append_only before update on conversation_messages for each row execute function refuse_rewrite();
--> statement-breakpoint
insert into meta (key, value) values ('timeline', gen_random_uuid()::text);
