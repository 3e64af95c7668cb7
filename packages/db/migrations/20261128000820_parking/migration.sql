ALTER TABLE "contracts" ADD COLUMN "park_after_seconds" integer;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "park_asked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "contracts" ADD CONSTRAINT "contracts_park_after" CHECK ("park_after_seconds" >= 0);