// Set-up of a whole test run: the door at which its workers get their Postgres.
// Why: `vitest run` works by itself, and a server that is named from outside is used as it is.
// Law: what this run started, this run stops.
import { openPostgresDoor } from './test-postgres-door.ts';

const setUp = async (): Promise<() => Promise<void>> => {
  if (process.env.TEST_DATABASE_URL) return async () => {};
  const door = await openPostgresDoor();
  process.env.TEST_POSTGRES_DOOR = door.path;
  return door.close;
};

export default setUp;
