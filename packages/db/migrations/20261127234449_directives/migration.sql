ALTER TABLE "contracts" ADD COLUMN "directive_id" uuid;--> statement-breakpoint
ALTER TABLE "directives" ADD COLUMN "local_path" text;--> statement-breakpoint
ALTER TABLE "directives" ADD COLUMN "base_branch" text;--> statement-breakpoint
ALTER TABLE "directives" ADD COLUMN "agent" text DEFAULT 'claude' NOT NULL;--> statement-breakpoint
ALTER TABLE "directives" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "directives" ADD COLUMN "updated_at" timestamp with time zone DEFAULT clock() NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "local_path" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "base_branch" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "decided_by_user_id" uuid;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "decided_by" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "decided_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "dismissed_reason" text;--> statement-breakpoint
ALTER TABLE "orders" ALTER COLUMN "directive_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id" UNIQUE("owner_id","id");--> statement-breakpoint
CREATE INDEX "contracts_directive" ON "contracts" ("directive_id") WHERE "directive_id" is not null;--> statement-breakpoint
CREATE INDEX "directives_owner" ON "directives" ("owner_id","status","id");--> statement-breakpoint
CREATE UNIQUE INDEX "orders_contract" ON "orders" ("contract_id") WHERE "contract_id" is not null;--> statement-breakpoint
CREATE INDEX "orders_directive" ON "orders" ("directive_id","status","id");--> statement-breakpoint
CREATE INDEX "tasks_directive" ON "tasks" ("directive_id","id") WHERE "directive_id" is not null;--> statement-breakpoint
ALTER TABLE "contracts" ADD CONSTRAINT "contracts_owner_id_directive_id_directives_owner_id_id_fkey" FOREIGN KEY ("owner_id","directive_id") REFERENCES "directives"("owner_id","id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id_directive_id_directives_owner_id_id_fkey" FOREIGN KEY ("owner_id","directive_id") REFERENCES "directives"("owner_id","id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id_created_by_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","created_by_task_id") REFERENCES "tasks"("owner_id","id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id_decided_by_user_id_users_owner_id_id_fkey" FOREIGN KEY ("owner_id","decided_by_user_id") REFERENCES "users"("owner_id","id");--> statement-breakpoint
ALTER TABLE "questions" ADD CONSTRAINT "questions_owner_id_directive_id_directives_owner_id_id_fkey" FOREIGN KEY ("owner_id","directive_id") REFERENCES "directives"("owner_id","id");--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_owner_id_directive_id_directives_owner_id_id_fkey" FOREIGN KEY ("owner_id","directive_id") REFERENCES "directives"("owner_id","id");--> statement-breakpoint
ALTER TABLE "directives" ADD CONSTRAINT "directives_status" CHECK ("status" in ('active', 'archived'));--> statement-breakpoint
ALTER TABLE "directives" ADD CONSTRAINT "directives_place" CHECK ("repository_url" is null or "local_path" is null);--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_priority" CHECK ("priority" in ('low', 'medium', 'high', 'urgent'));--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_accepted" CHECK ("contract_id" is null or "status" = 'accepted');--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_dismissed" CHECK (("status" = 'dismissed') = ("dismissed_reason" is not null));--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_decided" CHECK (("status" = 'open') = ("decided_by_user_id" is null));--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_place" CHECK (("repository_url" is null) <> ("local_path" is null));