DROP INDEX "tasks_pending";--> statement-breakpoint
CREATE INDEX "tasks_pending" ON "tasks" ("owner_id","is_supervisor" DESC,"priority" DESC,"pending_since","id") WHERE "status" = 'pending';