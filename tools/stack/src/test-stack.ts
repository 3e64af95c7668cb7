// A whole makima of its own for one test: real stores, services and daemon in a temporary home.
// Why: end-to-end tests, chaos and bench runs must not touch a stack that somebody works with.
// Law: random ports, embedded stores whatever the environment names, and stop() leaves nothing.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureHome, homeAt, type Home } from './home.ts';
import { Stack, type StackOptions } from './stack.ts';
import { plantCluster } from './test-cluster.ts';

export type TestStackOptions = Partial<
  Pick<StackOptions, 'daemon' | 'replicas' | 'layout' | 'environmentFor' | 'onEvent'>
> & {
  /** Added to the environment of services and daemon. */
  env?: NodeJS.ProcessEnv;
  /** Called before anything starts: the parts of the home may be put elsewhere. */
  prepare?: (home: Home) => void;
  /** Where to copy the logs before the home is removed, for instance when a test failed. */
  keepLogsIn?: () => string | undefined;
};

export interface TestStack {
  stack: Stack;
  /** Folder that goes away with the stack; room for repositories and ledgers of a test. */
  dir: string;
  url: string;
  gatewayUrl: string;
  ownerKey: string;
  stop: () => Promise<void>;
}

/** Starts everything; what failed to start leaves nothing behind and throws its reason. */
export const startTestStack = async (options: TestStackOptions = {}): Promise<TestStack> => {
  const dir = mkdtempSync(join(tmpdir(), 'makima-stack-'));
  const home = homeAt(join(dir, 'home'));
  const {
    DATABASE_URL: _database,
    DATABASE_URL_FILE: _databaseFile,
    REDIS_URL: _redis,
    REDIS_URL_FILE: _redisFile,
    ...inherited
  } = process.env;
  const { env, keepLogsIn, prepare, ...rest } = options;
  const stack = new Stack({
    daemon: 'local',
    ports: 'random',
    ...rest,
    home,
    env: { ...inherited, ...env },
  });
  const stop = async (): Promise<void> => {
    await stack.stop();
    const keep = keepLogsIn?.();
    if (keep !== undefined) cpSync(home.logs, keep, { recursive: true });
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    prepare?.(home);
    await plantPostgres(home);
    await stack.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const { apiUrl, gatewayUrl } = stack.addresses;
  return { stack, dir, url: apiUrl, gatewayUrl, ownerKey: stack.ownerKey ?? '', stop };
};

const plantPostgres = async (home: Home): Promise<void> => {
  ensureHome(home);
  const password = await plantCluster(home.postgres);
  if (password !== null)
    writeFileSync(join(home.secrets, 'postgres.password'), password, { mode: 0o600 });
};
