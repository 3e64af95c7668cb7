// The floors of the house, as data: who may import whom.
// Why: imports that only go down keep every room understandable by itself (docs: ARCHITECTURE.md).
// Law: this table is the rule; the boundary check only reads it.

export interface Room {
  /** Folder of the package. */
  dir: string;
  floor: 1 | 2 | 3 | 4 | 5 | 6;
  /** Names of workspace packages, without @makima/, that it may import. */
  mayImport: readonly string[];
  /** Rooms that only these files may import, named by a path inside the package. */
  onlyFrom?: Readonly<Record<string, readonly string[]>>;
  /** Outside packages that it may import; undefined means any that is not forbidden. */
  mayUse?: readonly string[];
  /** Outside packages that it must not import by name, and why. */
  mustNotUse?: readonly string[];
  /** Whether Node's own modules may be imported. */
  node: boolean;
}

const stores = ['drizzle-orm', 'postgres', 'ioredis', 'bullmq'];
const doors = ['hono', '@hono/node-server', 'ws'];

const service = (name: string): Room => ({
  dir: `services/${name}`,
  floor: 6,
  mayImport: ['wire', 'engine', 'bus', 'contracts', 'domain', 'runtime', 'db'],
  onlyFrom: { db: ['src/main.ts'] },
  mustNotUse: stores,
  node: true,
});

const app = (name: string, mayImport: readonly string[]): Room => ({
  dir: `apps/${name}`,
  floor: 6,
  mayImport,
  mustNotUse: stores,
  node: true,
});

export const rooms: Readonly<Record<string, Room>> = {
  domain: { dir: 'packages/domain', floor: 1, mayImport: [], mayUse: [], node: false },
  runtime: {
    dir: 'packages/runtime',
    floor: 1,
    mayImport: [],
    mayUse: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      'pino',
      'prom-client',
      'smol-toml',
      'zod',
    ],
    node: true,
  },
  contracts: {
    dir: 'packages/contracts',
    floor: 2,
    mayImport: ['domain'],
    mayUse: ['zod'],
    node: false,
  },
  db: {
    dir: 'packages/db',
    floor: 3,
    mayImport: ['contracts', 'domain'],
    mustNotUse: ['ioredis', 'bullmq', ...doors],
    node: true,
  },
  bus: {
    dir: 'packages/bus',
    floor: 3,
    mayImport: ['contracts', 'domain', 'runtime'],
    mustNotUse: ['drizzle-orm', 'postgres'],
    node: true,
  },
  client: {
    dir: 'packages/client',
    floor: 3,
    mayImport: ['contracts', 'domain'],
    mustNotUse: [...stores, ...doors],
    node: true,
  },
  engine: {
    dir: 'packages/engine',
    floor: 4,
    mayImport: ['db', 'contracts', 'domain'],
    mustNotUse: [...stores, ...doors],
    node: true,
  },
  wire: {
    dir: 'packages/wire',
    floor: 5,
    mayImport: ['engine', 'db', 'bus', 'runtime'],
    mustNotUse: [...stores, ...doors],
    node: true,
  },
  api: service('api'),
  scheduler: service('scheduler'),
  restorer: service('restorer'),
  'daemon-gateway': service('daemon-gateway'),
  daemon: app('daemon', ['contracts', 'client', 'domain', 'runtime']),
  cli: app('cli', ['contracts', 'client', 'domain']),
  web: app('web', ['contracts', 'client', 'domain']),
};

/** Files in which a process begins: they may read the environment. */
export const isEntryFile = (path: string): boolean =>
  /(?:^|\/)(?:main|[a-z-]+-cli)\.ts$/.test(path);

/** Tests and what only tests use; they stand outside the floors. */
export const isTestFile = (path: string): boolean =>
  /\.test\.ts$|(?:^|\/)(?:test|testing|fixtures)\/|(?:^|\/)test-[^/]+\.ts$/.test(path);

/** Rooms outside the floors: nothing on a floor may import them. */
export const isOutside = (path: string): boolean => /^(?:tools|tests)\//.test(path);
