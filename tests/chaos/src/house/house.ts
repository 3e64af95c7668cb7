// A whole makima to be broken: real stores, services, daemons and agents, with a link, a trap and a clock in
// between wherever a fault may come from.
// Law: everything lies in one folder and goes with it; what is hit was started here.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@makima/client/client';
import type { EnvironmentFor } from '@makima/stack/specs';
import type { SupervisedProcess } from '@makima/stack/supervised';
import { startTestStack, type TestStack } from '@makima/stack/test-stack';
import postgres from 'postgres';
import { forgeHost, makeForge } from '../forge.ts';
import type { RepositoryPlace } from '../scenario.ts';
import { clocksIn, type Clocks } from './clocks.ts';
import { openDisks, type Disk, type DiskPart } from './disks.ts';
import { ledgerFeed, type LedgerFeed } from './ledger-feed.ts';
import { openLinks, type Links } from './links.ts';
import { pause } from '../pause.ts';
import { startMachine, type Machine } from './machine.ts';
import { raceIn, type Race } from './race.ts';

export interface House {
  readonly stack: TestStack['stack'];
  /** Room for repositories. */
  readonly dir: string;
  readonly client: Client;
  /** The oracle: past every link. What fails takes its connections along; then it is opened anew. */
  readonly sql: postgres.Sql;
  /** Opens the oracle anew; what waits for the old one is refused. */
  renewOracle(): void;
  readonly ledger: LedgerFeed;
  readonly links: Links;
  readonly race: Race;
  readonly clocks: Clocks;
  readonly logsDir: string;
  /** `daemon`, `daemon-2`, ... */
  readonly machines: readonly string[];
  /** File systems of their own, by the part of the home that lies on each. */
  readonly disks: ReadonlyMap<DiskPart, Disk>;
  /** Repositories come from a forge: any machine can have them. */
  readonly placeOf: (repository: string) => RepositoryPlace;
  /** A process by its name: a service, a store or a machine. */
  process(name: string): SupervisedProcess;
  /** Has its logs copied to this folder before it goes. */
  keepLogs(dir: string): void;
  close(): Promise<void>;
}

export interface HouseOptions {
  /** With more than one, repositories come from a forge. */
  readonly machines?: number;
  readonly replicas?: Readonly<Record<string, number>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Parts of the home that lie on a file system of their own, of so many bytes. */
  readonly disks?: Readonly<Partial<Record<DiskPart, number>>>;
}

export const services = ['api', 'scheduler', 'restorer', 'daemon-gateway'] as const;

/** Load and probes are many; how much one key or contract may ask for is not what is tested. */
const limits = [
  'requestsPerKeyPerMinuteMax=1000000',
  'failedAuthPerAddressPerMinuteMax=1000000',
  'tasksPerContractMax=100000',
  'spawnsPerContractPerMinuteMax=100000',
  'openChildrenPerSupervisorMax=100000',
].join(',');

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const scratch = mkdtempSync(join(tmpdir(), 'makima-chaos-'));
  const ledger = ledgerFeed(join(scratch, 'ledger.jsonl'));
  const race = raceIn(join(scratch, 'race'));
  const clocks = clocksIn(join(scratch, 'clocks'));
  const machines = Array.from({ length: options.machines ?? 1 }, (_, n) =>
    n === 0 ? 'daemon' : `daemon-${n + 1}`,
  );
  const links = await openLinks(
    replicaNames(options.replicas ?? {}),
    machines,
    join(scratch, 'addresses'),
  );
  let keptIn: string | undefined;
  const environmentFor = (name: string, given: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv =>
    clocks.within(name, race.within(name, links.between(name, given)));
  const forge = makeForge(scratch);
  const env = {
    PATH: `${forge.bin}:${process.env.PATH ?? ''}`,
    MAKIMA_ALLOW_HOSTS: forgeHost,

    LOG_LEVEL: 'info',
    MAKIMA_LIMITS: limits,
    MAKIMA_LEDGER: ledger.path,
    ...options.env,
  };
  const disks = openDisks(options.disks ?? {}, scratch);
  const stack = await startTestStack({
    prepare: (home) => disks.lay(home),
    env: { MAKIMA_MAX_TASKS: '12', ...env },
    replicas: options.replicas ?? {},
    environmentFor,
    keepLogsIn: () => keptIn,
  });
  const more = await startMachines(stack, machines.slice(1), environmentFor);
  const openOracle = (): postgres.Sql =>
    postgres(stack.stack.addresses.databaseUrl, { max: 3, onnotice: () => {} });
  let sql = openOracle();
  return {
    stack: stack.stack,
    dir: stack.dir,
    client: createClient({ baseUrl: stack.url, key: stack.ownerKey, tries: 8 }),
    get sql() {
      return sql;
    },
    renewOracle() {
      const old = sql;
      sql = openOracle();
      // Its end may never come either: a dead connection does not close.
      old.end({ timeout: 0 }).catch(() => {});
    },
    ledger,
    links,
    race,
    clocks,
    logsDir: stack.stack.options.home.logs,
    machines,
    disks: disks.all,
    placeOf: (repository) =>
      machines.length > 1 ? { repositoryUrl: forge.urlOf(repository) } : { localPath: repository },
    process: (name) =>
      more.find((machine) => machine.name === name)?.process ?? stack.stack.process(name),
    keepLogs: (dir) => void (keptIn = dir),
    async close() {
      links.healAll();
      race.disarmAll();
      await Promise.all(more.map((machine) => machine.stop()));
      await Promise.race([sql.end({ timeout: 5 }).catch(() => {}), pause(6_000)]);
      if (keptIn !== undefined && existsSync(ledger.path)) {
        mkdirSync(keptIn, { recursive: true });
        cpSync(ledger.path, join(keptIn, 'ledger.jsonl'));
      }
      await stack.stop();
      await links.close();
      disks.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** A few at a time: each is a process that is enrolled and a process that starts. */
const startingAtOnce = 4;

async function startMachines(
  stack: TestStack,
  names: readonly string[],
  environmentFor: EnvironmentFor,
): Promise<Machine[]> {
  const left = [...names];
  const started: Machine[] = [];
  const line = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift())
      started.push(await startMachine(stack, name, environmentFor));
  };
  await Promise.all(Array.from({ length: startingAtOnce }, line));
  return started;
}

function replicaNames(replicas: Readonly<Record<string, number>>): string[] {
  return services.flatMap((service) =>
    Array.from({ length: replicas[service] ?? 1 }, (_, n) =>
      n === 0 ? service : `${service}-${n + 1}`,
    ),
  );
}
