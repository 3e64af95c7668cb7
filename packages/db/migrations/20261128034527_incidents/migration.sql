CREATE TABLE "incidents" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7(),
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"opened_at" timestamp with time zone DEFAULT clock() NOT NULL,
	"closed_at" timestamp with time zone,
	"detail" jsonb DEFAULT '{}' NOT NULL,
	CONSTRAINT "incidents_order" CHECK ("closed_at" is null or "closed_at" >= "opened_at")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_open" ON "incidents" ("owner_id","kind","subject") WHERE "closed_at" is null;