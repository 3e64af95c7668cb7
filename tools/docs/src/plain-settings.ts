/**
 * Environment variables that are read without a schema: of the command line, of `./makima`, of the
 * containers and of test runs.
 *
 * Law: a test finds every name that these sources read; one without a row here fails it.
 */

export interface PlainSettings {
  readonly title: string;
  /** Folders or files that are searched for names. */
  readonly sources: readonly string[];
  readonly rows: readonly (readonly [name: string, meaning: string])[];
}

/** Names of every Unix program, that need no word. */
export const ordinaryNames: ReadonlySet<string> = new Set([
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'NODE_COMPILE_CACHE',
  'PATH',
  'TERM',
]);

export const plainSettings: readonly PlainSettings[] = [
  {
    title: 'Command line',
    sources: ['apps/cli/src'],
    rows: [
      [
        'MAKIMA_URL',
        'address of the server; before it counts `--url`, after it the stack of this checkout',
      ],
      ['MAKIMA_TOKEN', 'key; else the one that is kept for that server'],
      [
        'MAKIMA_TOKEN_FILE',
        'a file that holds the key, for its owner alone; not beside `MAKIMA_TOKEN`',
      ],
      ['MAKIMA_HOME', 'folder of the stack of this checkout; `.makima` in it when not set'],
      ['MAKIMA_AGENT', '1: print JSON and never ask, as for an agent; 0: never think so'],
      [
        'MAKIMA_RUN_ID',
        'set by the daemon in the shells of its agents: there makima has a supervisor’s verbs alone',
      ],
      ['MAKIMA_COMMAND', 'how the launcher was called, for commands that are told; set by it'],
      ['MAKIMA_DEBUG', 'when set, an error of makima itself shows where it happened'],
      ['NO_COLOR', 'when set, no colours'],
      ['FORCE_COLOR', 'colours although nobody looks; 0 for none'],
      [
        'XDG_CONFIG_HOME',
        'folder of `makima/hosts.json`, the servers and keys that are kept; `~/.config` when not set',
      ],
    ],
  },
  {
    title: 'Stack of one machine (`./makima up`, `demo`)',
    sources: ['tools/stack/src', 'tools/demo/src', 'tools/postgres/src'],
    rows: [
      ['MAKIMA_HOME', 'folder of everything that is kept; `.makima` in the checkout when not set'],
      ['DATABASE_URL', 'a Postgres 18 or newer to use instead of the embedded one'],
      ['REDIS_URL', 'a Redis to use instead of one of its own'],
      [
        'DATABASE_URL_FILE',
        'a file that holds `DATABASE_URL`: no environment or `ps` shows its password then',
      ],
      ['REDIS_URL_FILE', 'a file that holds `REDIS_URL`'],
      ['LOG_LEVEL', 'passed on to every process'],
    ],
  },
  {
    title: 'Containers (`docker-compose.yml`)',
    sources: ['docker-compose.yml'],
    rows: [
      ['STORE_PASSWORD', 'password of Postgres and Redis; required'],
      ['BIND_ADDRESS', 'address on which the two doors are published; loopback when not set'],
      ['API_PORT', 'published port of the API; 7400 when not set'],
      ['GATEWAY_PORT', 'published port of the gateway; 7401 when not set'],
      ['LOG_LEVEL', 'passed on to every service'],
      ['MAKIMA_PUBLIC_URL', 'passed on to the two doors and the scheduler'],
      ['MAKIMA_WEBHOOK_ALLOWED_HOSTS', 'passed on to the API and the scheduler'],
    ],
  },
  {
    title: 'Test runs',
    sources: [
      'tests',
      'tools/stack/src/test-setup.ts',
      'tools/stack/src/test-stores.ts',
      'apps/daemon/src/git/read-file.test.ts',
      'packages/engine/src/race/test-race.ts',
    ],
    rows: [
      [
        'MAKIMA_RACE_READS',
        'reads of the race between `read-file` and links that are swapped under it; 20000 when not set. `MAKIMA_RACE_READS=150000 ./makima test apps/daemon/src/git/read-file`',
      ],
      [
        'MAKIMA_RACE_RUNS',
        'orders in which each pair of verbs runs against each other; 6 when not set. `MAKIMA_RACE_RUNS=200 ./makima test packages/engine/src/race`',
      ],
      ['TEST_DATABASE_URL', 'a Postgres for tests, instead of those that the run starts'],
      ['TEST_POSTGRES_DOOR', 'where the workers of a run ask for their Postgres; set by it'],
      ['VITEST_POOL_ID', 'which worker of the run it is; set by vitest'],
      ['MAKIMA_E2E_LOGS', 'folder to which the logs of a failed end-to-end test are copied'],
    ],
  },
];
