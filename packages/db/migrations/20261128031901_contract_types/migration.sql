CREATE TABLE "contract_types" (
	"owner_id" uuid,
	"name" text,
	"version" integer,
	"definition" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "contract_types_pkey" PRIMARY KEY("owner_id","name","version")
);
--> statement-breakpoint
ALTER TABLE "contract_types" ADD CONSTRAINT "contract_types_owner_id_owners_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id");--> statement-breakpoint
-- A version is never changed: contracts hold it by name and number.
create trigger contract_types_append_only before update on contract_types for each row execute function refuse_rewrite();
