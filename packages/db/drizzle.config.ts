/** Where drizzle-kit finds the schema and writes migrations; used by `pnpm --filter @makima/db exec drizzle-kit generate`. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/schema/*.ts',
  out: './migrations',
});
