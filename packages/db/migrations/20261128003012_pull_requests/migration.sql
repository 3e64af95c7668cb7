ALTER TABLE "contracts" ADD COLUMN "allow_pull_requests" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "questions" ADD COLUMN "permit" jsonb;--> statement-breakpoint
ALTER TABLE "questions" ADD CONSTRAINT "questions_permit" CHECK ("permit" is null or "status" <> 'answered' or "answered_by_user_id" is not null);