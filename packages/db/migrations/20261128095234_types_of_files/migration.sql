ALTER TABLE "contract_types" ADD COLUMN "source_file" text;--> statement-breakpoint
-- A version is never changed; this tells no other thing of those that are kept.
alter table contract_types disable trigger contract_types_append_only;--> statement-breakpoint
update contract_types set source_file = substr(created_by, 7) where created_by like 'file: %';--> statement-breakpoint
alter table contract_types enable trigger contract_types_append_only;
