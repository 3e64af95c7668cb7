CREATE TABLE "tallies" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tallies_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"one" text DEFAULT '' NOT NULL,
	"two" text DEFAULT '' NOT NULL,
	"n" integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX "contracts_waiting" ON "contracts" ("owner_id","status_changed_at") WHERE "status" = 'waiting_for_input';--> statement-breakpoint
CREATE INDEX "tallies_owner" ON "tallies" ("owner_id","kind");--> statement-breakpoint
CREATE INDEX "tasks_begun" ON "tasks" ("owner_id","status","is_supervisor") WHERE "status" in ('starting', 'running', 'interrupted', 'paused');
--> statement-breakpoint
CREATE FUNCTION tally_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO tallies (owner_id, kind, one, two, n) VALUES (OLD.owner_id, 'contract', OLD.status, OLD.phase, -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO tallies (owner_id, kind, one, two, n) VALUES (NEW.owner_id, 'contract', NEW.status, NEW.phase, 1);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.status = 'completing' AND OLD.status <> 'completing' THEN
    INSERT INTO tallies (owner_id, kind, n) VALUES (NEW.owner_id, 'completion', 1);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER contracts_tally_rows AFTER INSERT OR DELETE ON contracts FOR EACH ROW EXECUTE FUNCTION tally_contract();
--> statement-breakpoint
CREATE TRIGGER contracts_tally_changes AFTER UPDATE OF status, phase ON contracts FOR EACH ROW
  WHEN (OLD.status <> NEW.status OR OLD.phase <> NEW.phase) EXECUTE FUNCTION tally_contract();
--> statement-breakpoint
CREATE FUNCTION tally_phase_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tallies (owner_id, kind, one, two, n) VALUES (NEW.owner_id, 'phase_change', NEW.from_phase, NEW.to_phase, 1);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER phase_changes_tally AFTER INSERT ON phase_changes FOR EACH ROW EXECUTE FUNCTION tally_phase_change();
--> statement-breakpoint
CREATE FUNCTION tally_restoration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tallies (owner_id, kind, n) VALUES (NEW.owner_id, 'restoration', 1);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER restorations_tally AFTER INSERT ON restorations FOR EACH ROW EXECUTE FUNCTION tally_restoration();
--> statement-breakpoint
INSERT INTO tallies (owner_id, kind, one, two, n) SELECT owner_id, 'contract', status, phase, count(*) FROM contracts GROUP BY owner_id, status, phase;
--> statement-breakpoint
INSERT INTO tallies (owner_id, kind, one, two, n) SELECT owner_id, 'phase_change', from_phase, to_phase, count(*) FROM phase_changes GROUP BY owner_id, from_phase, to_phase;
--> statement-breakpoint
INSERT INTO tallies (owner_id, kind, n) SELECT owner_id, 'restoration', count(*) FROM restorations GROUP BY owner_id;
