ALTER TABLE "contracts" ADD COLUMN "budget_tokens" bigint;--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "budget_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "budget_grace_tokens" bigint;--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "budget_grace_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "budget_warned_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "budget_held_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_tokens" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_grace_tokens" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_grace_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_warned_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "budget_held_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "contracts_budget_warned" ON "contracts" ("owner_id") WHERE "budget_warned_at" is not null;--> statement-breakpoint
UPDATE "questions" SET "ask_key" = 'agent:' || "ask_key" WHERE "ask_key" IS NOT NULL AND "task_id" IS NOT NULL AND "subject" IS NULL;
