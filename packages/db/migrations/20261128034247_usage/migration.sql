ALTER TABLE "task_attempts" ADD COLUMN "session_id" uuid;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "cache_read_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "cache_write_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "conversation_cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD COLUMN "cost_estimated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "input_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "output_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "cache_read_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "cache_write_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "cost_micros" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "cost_estimated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "unpriced_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "task_attempts" ALTER COLUMN "input_tokens" SET DATA TYPE bigint USING "input_tokens"::bigint;--> statement-breakpoint
ALTER TABLE "task_attempts" ALTER COLUMN "output_tokens" SET DATA TYPE bigint USING "output_tokens"::bigint;