ALTER TABLE "task_attempts" ADD COLUMN "conversation_low_micros" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "trace" text;--> statement-breakpoint
CREATE INDEX "incidents_closed" ON "incidents" ("closed_at") WHERE "closed_at" is not null;