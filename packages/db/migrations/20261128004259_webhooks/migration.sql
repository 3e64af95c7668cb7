CREATE TABLE "webhook_attempts" (
	"delivery_id" uuid,
	"attempt" integer,
	"owner_id" uuid NOT NULL,
	"started_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"ended_at" timestamp with time zone,
	"duration_ms" integer,
	"status" integer,
	"answer" text,
	"error" text,
	CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY("delivery_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"event_id" bigint,
	"event_type" text NOT NULL,
	"contract_id" uuid,
	"body" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_try_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "webhook_deliveries_event" UNIQUE("webhook_id","event_id"),
	CONSTRAINT "webhook_deliveries_state" CHECK ("state" in ('pending', 'delivered', 'failed')),
	CONSTRAINT "webhook_deliveries_finished" CHECK (("state" = 'pending') = ("finished_at" is null))
);
--> statement-breakpoint
CREATE TABLE "webhook_secrets" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"secret" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"url" text NOT NULL,
	"topic" text,
	"event_types" text[] NOT NULL,
	"contract_ids" uuid[] DEFAULT '{}'::uuid[] NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"status_reason" text,
	"status_changed_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"cursor_xid" xid8 NOT NULL,
	"cursor_id" bigint NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp with time zone,
	"paused_until" timestamp with time zone,
	"last_delivered_at" timestamp with time zone,
	"lease_token" uuid,
	"lease_until" timestamp with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "webhooks_owner_id" UNIQUE("owner_id","id"),
	CONSTRAINT "webhooks_kind" CHECK ("kind" in ('webhook', 'ntfy')),
	CONSTRAINT "webhooks_topic" CHECK (("kind" = 'ntfy') = ("topic" is not null)),
	CONSTRAINT "webhooks_status" CHECK ("status" in ('active', 'disabled', 'quarantined')),
	CONSTRAINT "webhooks_reason" CHECK ("status" <> 'quarantined' or "status_reason" is not null),
	CONSTRAINT "webhooks_failing" CHECK (("failures" = 0) = ("failing_since" is null))
);
--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" ("webhook_id","next_try_at") WHERE "state" = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_list" ON "webhook_deliveries" ("webhook_id","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_finished_at" ON "webhook_deliveries" ("finished_at") WHERE "state" <> 'pending';--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_secrets_present" ON "webhook_secrets" ("webhook_id") WHERE "expires_at" is null;--> statement-breakpoint
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_delivery_id_webhook_deliveries_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_VfIw7vrw2eCz_fkey" FOREIGN KEY ("owner_id","webhook_id") REFERENCES "webhooks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "webhook_secrets" ADD CONSTRAINT "webhook_secrets_owner_id_webhook_id_webhooks_owner_id_id_fkey" FOREIGN KEY ("owner_id","webhook_id") REFERENCES "webhooks"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");