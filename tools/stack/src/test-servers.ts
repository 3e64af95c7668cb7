// Starts a private Postgres or Redis for tests, on a free port, in a folder that goes with it.
// Why: every test run has real stores of its own; nothing is shared with a stack that someone uses.
// Law: no durability, no leftovers: stop() removes process and folder.
import { rmSync } from 'node:fs';
import { preparePostgres } from '@makima/postgres/launch';
import type { Program } from '@makima/postgres/program';
import { redisCacheDir } from './checkout.ts';
import { anyFreePort } from './ports.ts';
import { ensureRedisBinary } from './redis/binary.ts';
import { prepareRedis } from './redis/launch.ts';
import { scratchFolder } from './scratch-folder.ts';
import { plantCluster } from './test-cluster.ts';
import { startScratchProcess, type ScratchProcess } from './scratch-process.ts';
import { postgresReady, redisReady, type ReadyOptions } from './store-ready.ts';

export interface TestServer {
  url: string;
  port: number;
  process: () => ScratchProcess;
  /** Starts the server again on the same port and folder after its end. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

interface Recipe {
  prepare(dir: string, port: number): Promise<{ program: Program; url: string }>;
  ready(url: string, options: ReadyOptions): Promise<void>;
}

export interface TestRedisOptions {
  /** `durable` keeps an append-only file, so that a restart brings the data back. */
  durability?: 'durable' | 'scratch';
}

export const startTestPostgres = (): Promise<TestServer> => {
  // One folder, however many ports are tried.
  let password: string | undefined;
  return startServer({
    prepare: async (dir, port) => {
      password ??= (await plantCluster(dir)) ?? 'test';
      return preparePostgres({ dir, port, password, durability: 'scratch' });
    },
    ready: postgresReady,
  });
};

export const startTestRedis = async (options: TestRedisOptions = {}): Promise<TestServer> => {
  const binary = await ensureRedisBinary({ cacheDir: redisCacheDir, path: process.env.PATH });
  const durability = options.durability ?? 'scratch';
  return startServer({
    prepare: async (dir, port) => prepareRedis({ binary, dir, port, password: 'test', durability }),
    ready: redisReady,
  });
};

const attempts = 3;

/** A port found free can be gone when the server binds it: then another one is tried. */
const startServer = async (recipe: Recipe): Promise<TestServer> => {
  const dir = scratchFolder();
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(recipe, dir, remove);
    } catch (error) {
      if (attempt < attempts) continue;
      remove();
      throw error;
    }
  }
};

const startOnce = async (recipe: Recipe, dir: string, remove: () => void): Promise<TestServer> => {
  const port = await anyFreePort();
  const { program, url } = await recipe.prepare(dir, port);
  let current = startScratchProcess(program);
  const ready = (): Promise<void> =>
    recipe.ready(url, { timeoutMs: 20_000, failure: () => current.failure() });
  try {
    await ready();
  } catch (error) {
    await current.end('SIGKILL');
    throw error;
  }
  return {
    url,
    port,
    process: () => current,
    restart: async () => {
      await current.end('SIGKILL');
      current = startScratchProcess(program);
      await ready();
    },
    stop: async () => {
      await current.end(program.stopSignal);
      remove();
    },
  };
};
