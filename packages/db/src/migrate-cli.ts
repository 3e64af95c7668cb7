/**
 * `node packages/db/src/migrate-cli.ts`: migrate the database of DATABASE_URL, or of the address that the file
 * of DATABASE_URL_FILE holds. Exit 0, or 1 with one line that says why.
 */
import { readFileSync } from 'node:fs';
import { migrate } from './migrate.ts';

const file = process.env['DATABASE_URL_FILE'];
try {
  const url = process.env['DATABASE_URL'] || (file ? readFileSync(file, 'utf8').trim() : '');
  if (url === '') {
    console.error(
      'DATABASE_URL is not set, nor DATABASE_URL_FILE; give postgres://user:password@host:port/database',
    );
    process.exit(1);
  }
  await migrate(url);
} catch (error) {
  console.error(`migration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
