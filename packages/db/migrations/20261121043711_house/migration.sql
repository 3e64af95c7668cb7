CREATE TABLE "confirmations" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"from_phase" text NOT NULL,
	"to_phase" text,
	"contract_version" integer NOT NULL,
	"digest" text NOT NULL,
	"shown" jsonb DEFAULT '[]' NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"decided_by_user_id" uuid,
	"decided_by_key_id" uuid,
	"decided_at" timestamp with time zone,
	"notes" text,
	CONSTRAINT "confirmations_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "confirmations_kind" CHECK ("kind" in ('phase', 'completion')),
	CONSTRAINT "confirmations_state" CHECK ("state" in ('open', 'approved', 'rejected', 'void', 'used')),
	CONSTRAINT "confirmations_by_person" CHECK ("state" not in ('approved', 'used') or ("decided_by_user_id" is not null and "decided_by_key_id" is not null))
);
--> statement-breakpoint
CREATE TABLE "contract_activity" (
	"contract_id" uuid PRIMARY KEY,
	"owner_id" uuid NOT NULL,
	"last_activity_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"last_progress_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contract_cursors" (
	"contract_id" uuid PRIMARY KEY,
	"owner_id" uuid NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contracts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"contract_type" jsonb NOT NULL,
	"extra_deliverables" jsonb DEFAULT '[]' NOT NULL,
	"phase" text NOT NULL,
	"guarded_phases" text[] NOT NULL,
	"status" text DEFAULT 'created' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"waiting_for" text,
	"blocked_reason" text,
	"failure_reason" text,
	"local_only" boolean DEFAULT false NOT NULL,
	"auto_merge_local" boolean DEFAULT false NOT NULL,
	"auto_complete_enabled" boolean DEFAULT true NOT NULL,
	"priority" integer DEFAULT 0 NOT NULL,
	"agent" text NOT NULL,
	"model" text,
	"supervisor_plan" text,
	"supervisor_task_id" uuid,
	"status_changed_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"completion_detected_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "contracts_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "contracts_status" CHECK ("status" in ('created', 'active', 'waiting_for_input', 'paused', 'blocked', 'completing', 'completed', 'failed', 'archived')),
	CONSTRAINT "contracts_waiting_for" CHECK (("status" = 'waiting_for_input') = ("waiting_for" is not null)),
	CONSTRAINT "contracts_blocked_reason" CHECK ("status" <> 'blocked' or "blocked_reason" is not null),
	CONSTRAINT "contracts_failure_reason" CHECK ("status" <> 'failed' or "failure_reason" is not null)
);
--> statement-breakpoint
CREATE TABLE "deliverables" (
	"contract_id" uuid,
	"owner_id" uuid NOT NULL,
	"phase" text,
	"deliverable_id" text,
	"evidence" jsonb DEFAULT '[]' NOT NULL,
	"completed_by" text NOT NULL,
	"completed_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "deliverables_pkey" PRIMARY KEY("contract_id","phase","deliverable_id")
);
--> statement-breakpoint
CREATE TABLE "kept_refs" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"task_id" uuid NOT NULL,
	"daemon_id" uuid NOT NULL,
	"ref" text NOT NULL,
	"why" text NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "kept_refs_ref" UNIQUE("daemon_id","ref")
);
--> statement-breakpoint
CREATE TABLE "phase_changes" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid NOT NULL,
	"from_phase" text NOT NULL,
	"to_phase" text NOT NULL,
	"version" integer NOT NULL,
	"guarded" boolean NOT NULL,
	"confirmation_id" uuid,
	"by_kind" text NOT NULL,
	"by_id" uuid,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "phase_changes_version" UNIQUE("contract_id","version"),
	CONSTRAINT "phase_changes_guard" CHECK (not "guarded" or "confirmation_id" is not null)
);
--> statement-breakpoint
CREATE TABLE "repositories" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid NOT NULL,
	"name" text NOT NULL,
	"repository_url" text,
	"local_path" text,
	"base_branch" text,
	"is_primary" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "repositories_place" CHECK (("repository_url" is null) <> ("local_path" is null))
);
--> statement-breakpoint
CREATE TABLE "daemon_journals" (
	"journal_id" uuid PRIMARY KEY,
	"owner_id" uuid NOT NULL,
	"daemon_id" uuid NOT NULL,
	"applied_seq" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daemons" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"name" text NOT NULL,
	"host" text,
	"version" text,
	"status" text DEFAULT 'disconnected' NOT NULL,
	"session_epoch" integer DEFAULT 0 NOT NULL,
	"gateway_id" uuid,
	"boot_id" uuid,
	"command_seq" bigint DEFAULT 0 NOT NULL,
	"acked_command_seq" bigint DEFAULT 0 NOT NULL,
	"max_concurrent_tasks" integer DEFAULT 1 NOT NULL,
	"agents" jsonb DEFAULT '[]' NOT NULL,
	"free_disk_bytes" bigint,
	"connected_at" timestamp with time zone,
	"last_seen_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "daemons_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "daemons_owner_name" UNIQUE("owner_id","name"),
	CONSTRAINT "daemons_status" CHECK ("status" in ('connected', 'disconnected', 'revoked')),
	CONSTRAINT "daemons_capacity" CHECK ("max_concurrent_tasks" > 0)
);
--> statement-breakpoint
CREATE TABLE "enrolments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"name" text,
	"hash" text NOT NULL,
	"created_by_key_id" uuid,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"daemon_id" uuid
);
--> statement-breakpoint
CREATE TABLE "keys" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"user_id" uuid,
	"daemon_id" uuid,
	"contract_id" uuid,
	"task_id" uuid,
	"attempt" integer,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"expires_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "keys_kind" CHECK ("kind" in ('user', 'daemon', 'tool')),
	CONSTRAINT "keys_binding" CHECK (case "kind" when 'user' then "user_id" is not null and "daemon_id" is null and "task_id" is null
        when 'daemon' then "daemon_id" is not null and "user_id" is null and "task_id" is null
        else "task_id" is not null and "attempt" is not null and "user_id" is null and "daemon_id" is null end)
);
--> statement-breakpoint
CREATE TABLE "owners" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "users_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "users_role" CHECK ("role" in ('owner', 'member', 'viewer'))
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"owner_id" uuid NOT NULL,
	"actor" jsonb NOT NULL,
	"key_id" uuid,
	"action" text NOT NULL,
	"outcome" text NOT NULL,
	"target_kind" text,
	"target_id" uuid,
	"detail" jsonb DEFAULT '{}' NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "audit_outcome" CHECK ("outcome" in ('done', 'refused'))
);
--> statement-breakpoint
CREATE TABLE "directives" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"title" text NOT NULL,
	"goal" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"reconcile_mode" text DEFAULT 'auto' NOT NULL,
	"repository_url" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "directives_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "directives_mode" CHECK ("reconcile_mode" in ('auto', 'semi-auto', 'manual'))
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"xid" xid8 DEFAULT pg_current_xact_id() NOT NULL,
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"seq" bigint,
	"type" text NOT NULL,
	"actor" jsonb NOT NULL,
	"task_id" uuid,
	"data" jsonb DEFAULT '{}' NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "events_seq" CHECK (("contract_id" is null) = ("seq" is null))
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"owner_id" uuid,
	"key" text,
	"fingerprint" text NOT NULL,
	"response" jsonb,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("owner_id","key")
);
--> statement-breakpoint
CREATE TABLE "meta" (
	"key" text PRIMARY KEY,
	"value" text NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"directive_id" uuid,
	"created_by_task_id" uuid,
	"title" text NOT NULL,
	"description" text,
	"priority" text DEFAULT 'medium' NOT NULL,
	"order_type" text NOT NULL,
	"labels" text[] DEFAULT '{}'::text[] NOT NULL,
	"repository_url" text,
	"status" text DEFAULT 'open' NOT NULL,
	"contract_id" uuid,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "orders_type" CHECK ("order_type" in ('spike', 'chore')),
	CONSTRAINT "orders_status" CHECK ("status" in ('open', 'accepted', 'dismissed'))
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"xid" xid8 DEFAULT pg_current_xact_id() NOT NULL,
	"owner_id" uuid NOT NULL,
	"queue" text NOT NULL,
	"job_id" text NOT NULL,
	"payload" jsonb NOT NULL,
	"not_before" timestamp with time zone DEFAULT clock() NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_owner" uuid,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "checkpoint_patches" (
	"operation_id" uuid,
	"part" integer,
	"owner_id" uuid NOT NULL,
	"data" bytea NOT NULL,
	CONSTRAINT "checkpoint_patches_pkey" PRIMARY KEY("operation_id","part")
);
--> statement-breakpoint
CREATE TABLE "conversation_messages" (
	"task_id" uuid,
	"seq" integer,
	"id" uuid DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"role" text NOT NULL,
	"content" text NOT NULL,
	"tool_name" text,
	"tool_use_id" text,
	"tool_input" jsonb,
	"is_error" boolean DEFAULT false NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "conversation_messages_pkey" PRIMARY KEY("task_id","seq"),
	CONSTRAINT "conversation_messages_role" CHECK ("role" in ('user', 'assistant', 'system', 'tool'))
);
--> statement-breakpoint
CREATE TABLE "conversation_snapshots" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"task_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"snapshot_type" text DEFAULT 'auto' NOT NULL,
	"message_seq" integer NOT NULL,
	"message_count" integer NOT NULL,
	"schema_version" integer NOT NULL,
	"state" jsonb NOT NULL,
	"sha256" text NOT NULL,
	"metadata" jsonb DEFAULT '{}' NOT NULL,
	"quarantined_reason" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "conversation_snapshots_type" CHECK ("snapshot_type" in ('auto', 'manual', 'checkpoint'))
);
--> statement-breakpoint
CREATE TABLE "questions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"directive_id" uuid,
	"task_id" uuid,
	"ask_key" text,
	"asked_epoch" integer,
	"redelivered_epoch" integer,
	"question" text NOT NULL,
	"context" text,
	"choices" text[] DEFAULT '{}'::text[] NOT NULL,
	"multi_select" boolean DEFAULT false NOT NULL,
	"phaseguard" boolean DEFAULT false NOT NULL,
	"non_blocking" boolean DEFAULT false NOT NULL,
	"question_type" text DEFAULT 'general' NOT NULL,
	"confirmation_id" uuid,
	"status" text DEFAULT 'open' NOT NULL,
	"response" text,
	"answered_by_user_id" uuid,
	"answered_by" text,
	"answered_at" timestamp with time zone,
	"asked_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"taken_at" timestamp with time zone,
	"held_until" timestamp with time zone,
	CONSTRAINT "questions_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "questions_status" CHECK ("status" in ('open', 'answered', 'cancelled')),
	CONSTRAINT "questions_answer" CHECK (("status" = 'answered') = ("response" is not null))
);
--> statement-breakpoint
CREATE TABLE "task_checkpoints" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"checkpoint_number" integer NOT NULL,
	"operation_id" uuid CONSTRAINT "task_checkpoints_operation" UNIQUE,
	"commit_sha" text NOT NULL,
	"base_sha" text NOT NULL,
	"branch_name" text NOT NULL,
	"message" text NOT NULL,
	"files_changed" integer NOT NULL,
	"lines_added" integer NOT NULL,
	"lines_removed" integer NOT NULL,
	"message_seq" integer DEFAULT 0 NOT NULL,
	"patch_parts" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "task_checkpoints_number" UNIQUE("task_id","checkpoint_number")
);
--> statement-breakpoint
CREATE TABLE "task_outputs" (
	"task_id" uuid,
	"attempt" integer,
	"from_seq" integer,
	"count" integer NOT NULL,
	"owner_id" uuid NOT NULL,
	"lines" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "task_outputs_pkey" PRIMARY KEY("task_id","attempt","from_seq")
);
--> statement-breakpoint
CREATE TABLE "transcript_lines" (
	"task_id" uuid,
	"seq" integer,
	"count" integer NOT NULL,
	"owner_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"attempt_seq" integer NOT NULL,
	"lines" text[] NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "transcript_lines_pkey" PRIMARY KEY("task_id","seq"),
	CONSTRAINT "transcript_lines_attempt" UNIQUE("task_id","attempt","attempt_seq")
);
--> statement-breakpoint
CREATE TABLE "agent_messages" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"task_id" uuid NOT NULL,
	"text" text NOT NULL,
	"mode" text NOT NULL,
	"source" text NOT NULL,
	"source_id" uuid,
	"request_id" text,
	"state" text DEFAULT 'pending' NOT NULL,
	"sent_attempt" integer,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"delivered_at" timestamp with time zone,
	CONSTRAINT "agent_messages_mode" CHECK ("mode" in ('queue', 'steer', 'interrupt')),
	CONSTRAINT "agent_messages_state" CHECK ("state" in ('pending', 'queued', 'delivered', 'refused'))
);
--> statement-breakpoint
CREATE TABLE "daemon_commands" (
	"daemon_id" uuid,
	"seq" integer,
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"task_id" uuid,
	"attempt" integer,
	"payload" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"acked_at" timestamp with time zone,
	CONSTRAINT "daemon_commands_pkey" PRIMARY KEY("daemon_id","seq")
);
--> statement-breakpoint
CREATE TABLE "operations" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"task_id" uuid,
	"attempt" integer,
	"daemon_id" uuid,
	"kind" text NOT NULL,
	"request" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"result" jsonb,
	"error" jsonb,
	"requested_by" text NOT NULL,
	"requested_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "operations_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "operations_state" CHECK ("state" in ('pending', 'done', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "restorations" (
	"task_id" uuid,
	"epoch" integer,
	"owner_id" uuid NOT NULL,
	"strategy" text NOT NULL,
	"findings" jsonb DEFAULT '[]' NOT NULL,
	"warnings" text[] DEFAULT '{}'::text[] NOT NULL,
	"notice_message_id" uuid NOT NULL,
	"requested_by" text NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "restorations_pkey" PRIMARY KEY("task_id","epoch")
);
--> statement-breakpoint
CREATE TABLE "supervisors" (
	"task_id" uuid PRIMARY KEY,
	"owner_id" uuid NOT NULL,
	"contract_id" uuid NOT NULL CONSTRAINT "supervisors_contract" UNIQUE,
	"epoch" integer DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'initializing' NOT NULL,
	"current_activity" text,
	"progress" integer DEFAULT 0 NOT NULL,
	"error_message" text,
	"previous_state" text,
	"restoration_count" integer DEFAULT 0 NOT NULL,
	"last_restored_at" timestamp with time zone,
	"restoration_source" text,
	"last_heartbeat_at" timestamp with time zone,
	"last_checkpoint_id" uuid,
	"updated_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "supervisors_state" CHECK ("state" in ('initializing', 'idle', 'working', 'waiting_for_user', 'waiting_for_tasks', 'blocked', 'completed', 'failed', 'interrupted')),
	CONSTRAINT "supervisors_progress" CHECK ("progress" between 0 and 100)
);
--> statement-breakpoint
CREATE TABLE "task_attempts" (
	"task_id" uuid,
	"attempt" integer,
	"owner_id" uuid NOT NULL,
	"daemon_id" uuid NOT NULL,
	"session_epoch" integer NOT NULL,
	"state" text DEFAULT 'assigned' NOT NULL,
	"lease_expires_at" timestamp with time zone,
	"pid" integer,
	"reason" text,
	"summary" text,
	"resumed_from" text,
	"superseded" boolean DEFAULT false NOT NULL,
	"output_seq" integer DEFAULT 0 NOT NULL,
	"input_tokens" integer DEFAULT 0 NOT NULL,
	"output_tokens" integer DEFAULT 0 NOT NULL,
	"cost_usd" text,
	"assigned_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "task_attempts_pkey" PRIMARY KEY("task_id","attempt"),
	CONSTRAINT "task_attempts_state" CHECK ("state" in ('assigned', 'running', 'done', 'failed', 'lost', 'cancelled', 'fenced')),
	CONSTRAINT "task_attempts_lease" CHECK ("state" not in ('assigned', 'running') or "lease_expires_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"parent_task_id" uuid,
	"depth" integer DEFAULT 0 NOT NULL,
	"is_supervisor" boolean DEFAULT false NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"plan" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"session" text DEFAULT 'none' NOT NULL,
	"session_id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"session_started_at" timestamp with time zone,
	"resume_at" timestamp with time zone,
	"priority" integer DEFAULT 0 NOT NULL,
	"agent" text NOT NULL,
	"model" text,
	"repository_url" text,
	"local_path" text,
	"base_branch" text,
	"target_branch" text,
	"target_repo_path" text,
	"merge_mode" text,
	"completion_action" text,
	"continue_from_task_id" uuid,
	"branched_from_task_id" uuid,
	"forked_from_task_id" uuid,
	"forked_at_checkpoint_id" uuid,
	"checkpoint_sha" text,
	"copy_files" text[] DEFAULT '{}'::text[] NOT NULL,
	"needs" uuid[] DEFAULT '{}'::uuid[] NOT NULL,
	"own_worktree" boolean DEFAULT true NOT NULL,
	"supervisor_worktree_task_id" uuid,
	"autonomous_loop" boolean DEFAULT false NOT NULL,
	"directive_id" uuid,
	"directive_step_id" uuid,
	"current_attempt" integer DEFAULT 0 NOT NULL,
	"retry_count" integer DEFAULT 0 NOT NULL,
	"failed_daemon_ids" uuid[] DEFAULT '{}'::uuid[] NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"home_daemon_id" uuid,
	"branch" text,
	"base_sha" text,
	"commit_sha" text,
	"worktree_path" text,
	"output_summary" text,
	"error_message" text,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"pending_since" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "tasks_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "tasks_status" CHECK ("status" in ('pending', 'starting', 'running', 'done', 'failed', 'interrupted', 'paused', 'merged', 'cancelled')),
	CONSTRAINT "tasks_session" CHECK ("session" in ('live', 'parked', 'limited', 'none'))
);
--> statement-breakpoint
CREATE TABLE "waits" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"contract_id" uuid,
	"task_id" uuid,
	"kind" text NOT NULL,
	"target_ids" uuid[] NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"ended_at" timestamp with time zone,
	"seen_at" timestamp with time zone,
	CONSTRAINT "waits_kind" CHECK ("kind" in ('tasks_any', 'tasks_all', 'question', 'time', 'event')),
	CONSTRAINT "waits_state" CHECK ("state" in ('open', 'satisfied', 'timed_out', 'cancelled'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "confirmations_one_open" ON "confirmations" ("contract_id") WHERE "state" = 'open';--> statement-breakpoint
CREATE UNIQUE INDEX "contracts_owner_slug" ON "contracts" ("owner_id","slug");--> statement-breakpoint
CREATE INDEX "contracts_owner_status" ON "contracts" ("owner_id","status","phase");--> statement-breakpoint
CREATE INDEX "kept_refs_contract" ON "kept_refs" ("contract_id");--> statement-breakpoint
CREATE UNIQUE INDEX "repositories_primary" ON "repositories" ("contract_id") WHERE "is_primary";--> statement-breakpoint
CREATE INDEX "repositories_contract" ON "repositories" ("contract_id");--> statement-breakpoint
CREATE INDEX "keys_task" ON "keys" ("task_id","attempt");--> statement-breakpoint
CREATE INDEX "audit_owner" ON "audit" ("owner_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "events_contract_seq" ON "events" ("contract_id","seq") WHERE "contract_id" is not null;--> statement-breakpoint
CREATE INDEX "events_owner" ON "events" ("owner_id","xid","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" ("expires_at");--> statement-breakpoint
CREATE INDEX "orders_owner" ON "orders" ("owner_id","status","id");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" ("id") WHERE "published_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_published" ON "outbox" ("published_at") WHERE "published_at" is not null;--> statement-breakpoint
CREATE INDEX "conversation_snapshots_task" ON "conversation_snapshots" ("task_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "questions_ask_key" ON "questions" ("task_id","ask_key") WHERE "ask_key" is not null;--> statement-breakpoint
CREATE INDEX "questions_open" ON "questions" ("owner_id","id") WHERE "status" = 'open';--> statement-breakpoint
CREATE INDEX "questions_contract" ON "questions" ("contract_id","id");--> statement-breakpoint
CREATE INDEX "agent_messages_undelivered" ON "agent_messages" ("task_id","id") WHERE "state" in ('pending', 'queued');--> statement-breakpoint
CREATE INDEX "daemon_commands_unacked" ON "daemon_commands" ("daemon_id","seq") WHERE "acked_at" is null;--> statement-breakpoint
CREATE INDEX "operations_contract" ON "operations" ("contract_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "task_attempts_one_live" ON "task_attempts" ("task_id") WHERE "state" in ('assigned', 'running');--> statement-breakpoint
CREATE INDEX "task_attempts_daemon" ON "task_attempts" ("daemon_id") WHERE "state" in ('assigned', 'running');--> statement-breakpoint
CREATE INDEX "task_attempts_lease_due" ON "task_attempts" ("lease_expires_at") WHERE "state" in ('assigned', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_one_supervisor" ON "tasks" ("contract_id") WHERE "is_supervisor";--> statement-breakpoint
CREATE INDEX "tasks_contract" ON "tasks" ("contract_id","id");--> statement-breakpoint
CREATE INDEX "tasks_pending" ON "tasks" ("owner_id","pending_since") WHERE "status" = 'pending';--> statement-breakpoint
CREATE INDEX "tasks_unfinished" ON "tasks" ("status","pending_since") WHERE "status" in ('starting', 'running', 'interrupted', 'paused');--> statement-breakpoint
CREATE INDEX "waits_open" ON "waits" USING gin ("target_ids") WHERE "state" = 'open';--> statement-breakpoint
CREATE INDEX "waits_task" ON "waits" ("task_id") WHERE "state" = 'open';--> statement-breakpoint
ALTER TABLE "confirmations" ADD CONSTRAINT "confirmations_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "contract_activity" ADD CONSTRAINT "contract_activity_Bz9WKb7nkjnf_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "contract_cursors" ADD CONSTRAINT "contract_cursors_5AzVuFTVFSrb_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "contracts" ADD CONSTRAINT "contracts_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "deliverables" ADD CONSTRAINT "deliverables_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "phase_changes" ADD CONSTRAINT "phase_changes_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "phase_changes" ADD CONSTRAINT "phase_changes_m3QzHoywLV9w_fkey" FOREIGN KEY ("owner_id","confirmation_id") REFERENCES "confirmations"("owner_id","id");--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "daemon_journals" ADD CONSTRAINT "daemon_journals_owner_id_daemon_id_daemons_owner_id_id_fkey" FOREIGN KEY ("owner_id","daemon_id") REFERENCES "daemons"("owner_id","id");--> statement-breakpoint
ALTER TABLE "daemons" ADD CONSTRAINT "daemons_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_owner_id_user_id_users_owner_id_id_fkey" FOREIGN KEY ("owner_id","user_id") REFERENCES "users"("owner_id","id");--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_owner_id_daemon_id_daemons_owner_id_id_fkey" FOREIGN KEY ("owner_id","daemon_id") REFERENCES "daemons"("owner_id","id");--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "directives" ADD CONSTRAINT "directives_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
ALTER TABLE "conversation_messages" ADD CONSTRAINT "conversation_messages_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "conversation_snapshots" ADD CONSTRAINT "conversation_snapshots_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "questions" ADD CONSTRAINT "questions_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "questions" ADD CONSTRAINT "questions_mg5VXXSF1olC_fkey" FOREIGN KEY ("owner_id","confirmation_id") REFERENCES "confirmations"("owner_id","id");--> statement-breakpoint
ALTER TABLE "task_checkpoints" ADD CONSTRAINT "task_checkpoints_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "task_outputs" ADD CONSTRAINT "task_outputs_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "transcript_lines" ADD CONSTRAINT "transcript_lines_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "agent_messages" ADD CONSTRAINT "agent_messages_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "daemon_commands" ADD CONSTRAINT "daemon_commands_owner_id_daemon_id_daemons_owner_id_id_fkey" FOREIGN KEY ("owner_id","daemon_id") REFERENCES "daemons"("owner_id","id");--> statement-breakpoint
ALTER TABLE "restorations" ADD CONSTRAINT "restorations_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "supervisors" ADD CONSTRAINT "supervisors_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "supervisors" ADD CONSTRAINT "supervisors_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD CONSTRAINT "task_attempts_owner_id_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","task_id") REFERENCES "tasks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "task_attempts" ADD CONSTRAINT "task_attempts_owner_id_daemon_id_daemons_owner_id_id_fkey" FOREIGN KEY ("owner_id","daemon_id") REFERENCES "daemons"("owner_id","id");--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_owner_id_parent_task_id_tasks_owner_id_id_fkey" FOREIGN KEY ("owner_id","parent_task_id") REFERENCES "tasks"("owner_id","id");