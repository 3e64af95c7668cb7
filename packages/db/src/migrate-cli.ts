/** `node packages/db/src/migrate-cli.ts`: migrate DATABASE_URL. Exit 0, or 1 with one line that says why. */
import { migrate } from './migrate.ts';

const url = process.env['DATABASE_URL'];
if (url === undefined || url === '') {
  console.error('DATABASE_URL is not set; give postgres://user:password@host:port/database');
  process.exit(1);
}
try {
  await migrate(url);
} catch (error) {
  console.error(`migration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
