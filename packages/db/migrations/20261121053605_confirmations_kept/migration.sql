-- What a person confirmed stays what they saw: of a confirmation only its state and who decided may change,
-- and who decided stays who did.
create or replace function refuse_confirmation_change() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and old.state <> 'open' and not (old.state = 'approved' and new.state in ('used', 'void')) then
    raise exception 'a confirmation is decided once' using errcode = 'check_violation', constraint = 'confirmations_decided_once';
  end if;
  if (new.owner_id, new.contract_id, new.kind, new.from_phase, new.contract_version, new.digest)
     is distinct from (old.owner_id, old.contract_id, old.kind, old.from_phase, old.contract_version, old.digest)
     or new.to_phase is distinct from old.to_phase or new.shown is distinct from old.shown then
    raise exception 'a confirmation keeps what was shown' using errcode = 'check_violation', constraint = 'confirmations_kept';
  end if;
  if old.decided_by_user_id is not null
     and (new.decided_by_user_id, new.decided_by_key_id) is distinct from (old.decided_by_user_id, old.decided_by_key_id) then
    raise exception 'a confirmation keeps who decided' using errcode = 'check_violation', constraint = 'confirmations_kept';
  end if;
  return new;
end $$;
