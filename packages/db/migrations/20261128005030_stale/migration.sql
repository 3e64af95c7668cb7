CREATE TABLE "branch_moves" (
	"contract_id" uuid,
	"owner_id" uuid NOT NULL,
	"n" integer,
	"operation_id" uuid NOT NULL CONSTRAINT "branch_moves_operation" UNIQUE,
	"from_sha" text NOT NULL,
	"to_sha" text NOT NULL,
	"changed" text[] NOT NULL,
	"complete" boolean NOT NULL,
	"at" timestamp with time zone DEFAULT clock() NOT NULL,
	CONSTRAINT "branch_moves_pkey" PRIMARY KEY("contract_id","n"),
	CONSTRAINT "branch_moves_moves" CHECK ("from_sha" <> "to_sha")
);
--> statement-breakpoint
ALTER TABLE "deliverables" ADD COLUMN "stale_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "deliverables" ADD COLUMN "stale_reason" text;--> statement-breakpoint
ALTER TABLE "branch_moves" ADD CONSTRAINT "branch_moves_owner_id_contract_id_contracts_owner_id_id_fkey" FOREIGN KEY ("owner_id","contract_id") REFERENCES "contracts"("owner_id","id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "deliverables" ADD CONSTRAINT "deliverables_stale" CHECK (("stale_since" is null) = ("stale_reason" is null));