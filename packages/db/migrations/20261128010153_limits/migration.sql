CREATE TABLE "agent_limits" (
	"owner_id" uuid,
	"agent" text,
	"account" text,
	"until" timestamp with time zone NOT NULL,
	"window" text,
	"told_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "agent_limits_pkey" PRIMARY KEY("owner_id","agent","account")
);
--> statement-breakpoint
ALTER TABLE "contracts" ADD COLUMN "on_limit" text DEFAULT 'resume' NOT NULL;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "subject" jsonb;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "on_limit" text DEFAULT 'resume' NOT NULL;--> statement-breakpoint
CREATE INDEX "tasks_limited" ON "tasks" ("resume_at") WHERE "session" = 'limited';--> statement-breakpoint
ALTER TABLE "agent_limits" ADD CONSTRAINT "agent_limits_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "contracts" ADD CONSTRAINT "contracts_on_limit" CHECK ("on_limit" in ('resume', 'ask'));--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_on_limit" CHECK ("on_limit" in ('resume', 'ask'));