CREATE INDEX "questions_untaken" ON "questions" ("answered_at") WHERE "status" = 'answered' and "taken_at" is null;--> statement-breakpoint
CREATE INDEX "agent_messages_source" ON "agent_messages" ("task_id","source","source_id");--> statement-breakpoint
CREATE INDEX "operations_task" ON "operations" ("task_id","kind");--> statement-breakpoint
CREATE INDEX "waits_of_task" ON "waits" ("task_id");