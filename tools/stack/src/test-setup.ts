// Set-up of a whole test run: one Postgres and one Redis, named to the tests by environment.
// Why: `vitest run` works by itself, and servers that are named from outside are used as they are.
// Law: what this run started, this run stops.
import { startTestPostgres, startTestRedis } from './test-servers.ts';

const setUp = async (): Promise<() => Promise<void>> => {
  const stops: (() => Promise<void>)[] = [];
  const provide = async (
    name: 'TEST_DATABASE_URL' | 'TEST_REDIS_URL',
    start: typeof startTestPostgres,
  ): Promise<void> => {
    if (process.env[name]) return;
    const server = await start();
    stops.push(server.stop);
    process.env[name] = server.url;
  };
  const tearDown = async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
  };
  const results = await Promise.allSettled([
    provide('TEST_DATABASE_URL', startTestPostgres),
    provide('TEST_REDIS_URL', startTestRedis),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return tearDown;
  await tearDown();
  throw failed.reason;
};

export default setUp;
