CREATE TABLE "requeues" (
	"queue" text,
	"entity_id" uuid,
	"fence" integer,
	"owner_id" uuid NOT NULL,
	"count" integer DEFAULT 1 NOT NULL,
	"last_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "requeues_pkey" PRIMARY KEY("queue","entity_id","fence")
);
