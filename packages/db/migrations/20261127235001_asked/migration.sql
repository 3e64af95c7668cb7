ALTER TABLE "contracts" ADD COLUMN "permission_mode" text DEFAULT 'bypass' NOT NULL;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "tool" jsonb;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "default_answer" text;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "default_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "wait_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "agent_messages" ADD COLUMN "answer" text;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "permission_mode" text DEFAULT 'bypass' NOT NULL;--> statement-breakpoint
CREATE INDEX "questions_default_due" ON "questions" ("default_at") WHERE "status" = 'open' and "default_at" is not null;--> statement-breakpoint
ALTER TABLE "contracts" ADD CONSTRAINT "contracts_permission_mode" CHECK ("permission_mode" in ('bypass', 'ask'));--> statement-breakpoint
ALTER TABLE "questions" ADD CONSTRAINT "questions_default" CHECK ("default_answer" is null and "default_at" is null or "default_answer" is not null and "question_type" = 'general' and not "phaseguard");--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_permission_mode" CHECK ("permission_mode" in ('bypass', 'ask'));--> statement-breakpoint
-- What an agent broke off it may ask again, under the same id; an answer, and what makima asked, stay.
create or replace function refuse_question_change() returns trigger language plpgsql as $$
begin
  if old.status = 'cancelled' and new.status = 'open' and old.ask_key is not null and old.confirmation_id is null then
    return new;
  end if;
  if old.status <> 'open' and (new.status <> old.status or new.response is distinct from old.response) then
    raise exception 'a question is answered once' using errcode = 'check_violation', constraint = 'questions_answered_once';
  end if;
  return new;
end $$;
