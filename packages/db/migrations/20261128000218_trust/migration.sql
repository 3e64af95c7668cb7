ALTER TABLE "repositories" ADD COLUMN "trusted_by_user_id" uuid;--> statement-breakpoint
ALTER TABLE "repositories" ADD COLUMN "trusted_by" text;--> statement-breakpoint
ALTER TABLE "repositories" ADD COLUMN "trusted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_owner_id_trusted_by_user_id_users_owner_id_id_fkey" FOREIGN KEY ("owner_id","trusted_by_user_id") REFERENCES "users"("owner_id","id");--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_trust" CHECK (("trusted_by_user_id" is null) = ("trusted_at" is null) and ("trusted_by_user_id" is null) = ("trusted_by" is null));