-- The one clock of makima. In production it is now(); a test moves it with
-- `alter database … set makima.clock_offset = '2 hours'`, and every deadline moves along.
create function clock() returns timestamptz
language sql stable parallel safe
as $$ select now() + coalesce(nullif(current_setting('makima.clock_offset', true), ''), '0')::interval $$;
