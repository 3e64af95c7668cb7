// A whole makima on this machine: stores, services, daemon, as child processes of this one.
// Why: `up`, the demo, end-to-end tests and chaos runs all start the same thing the same way.
// Law: start() ends with every process serving or with none left; stop() drains daemon, services,
// Redis, Postgres in that order; whoever starts holds the lock of the home.
import { join } from 'node:path';
import { checkout } from './checkout.ts';
import { enrolDaemon } from './enrol.ts';
import { daemonEnvironment, storeEnvironment, type Addresses } from './environment.ts';
import { ensureHome, readOwnerKey, requireRoom, type Home } from './home.ts';
import { makimaLayout, requireFiles, type StackLayout } from './layout.ts';
import { LogFile } from './log-file.ts';
import { movesInWords, planPorts } from './port-plan.ts';
import { endProcess, identify } from './process-identity.ts';
import { nodeProgram, runToEnd } from './run-node.ts';
import {
  daemonSpec,
  doorAddresses,
  portWishes,
  serviceSpecs,
  type EnvironmentFor,
  type PortPlan,
  type ProcessSpec,
  type SpecContext,
} from './specs.ts';
import { takeStartLock } from './start-lock.ts';
import { readState, removeState, writeState } from './state-file.ts';
import { keepStoreUrls, withStoreUrls } from './store-secrets.ts';
import { chooseStores } from './stores.ts';
import { SupervisedProcess, type ProcessChange } from './supervised.ts';

export type StackEvent = ProcessChange | { kind: 'progress'; line: string };

export interface StackOptions {
  home: Home;
  /** Passed on to the processes; its DATABASE_URL and REDIS_URL (or their `_FILE`s) win over embedded stores. */
  env: NodeJS.ProcessEnv;
  ports: 'preferred' | 'random';
  daemon: 'local' | 'none';
  /** How many of a service to start, one if not named: `{ scheduler: 2 }`. */
  replicas?: Readonly<Record<string, number>>;
  layout?: StackLayout;
  environmentFor?: EnvironmentFor;
  onEvent?: (event: StackEvent) => void;
}

/** Thrown by start() when another process runs this home. */
export class AlreadyRunningError extends Error {
  readonly pid: number;
  constructor(pid: number) {
    super(`makima already runs here (process ${pid})`);
    this.pid = pid;
  }
}

const leftoverStopMs = 15_000;
const migrateTimeoutMs = 120_000;

export class Stack {
  readonly options: StackOptions;
  /** Every supervised process by name, in the order of starting. */
  readonly processes = new Map<string, SupervisedProcess>();
  #context: SpecContext;
  #addresses: Addresses | undefined;
  #logs = new Map<string, LogFile>();
  #release: (() => void) | undefined;
  #releasePorts = (): void => {};
  #ready = false;
  #stopping: Promise<void> | undefined;

  constructor(options: StackOptions) {
    const { home, layout = makimaLayout, replicas = {}, environmentFor } = options;
    const env = withStoreUrls(options.env);
    this.options = { ...options, env };
    this.#context = { env, home, layout, replicas, ...(environmentFor && { environmentFor }) };
  }

  /** Addresses of the stores, the API and the gateway; known once start() has chosen the ports. */
  get addresses(): Addresses {
    if (!this.#addresses) throw new Error('the stack has not been started');
    return this.#addresses;
  }

  /** The key that the API minted at its first start in this home. */
  get ownerKey(): string | undefined {
    return readOwnerKey(this.options.home);
  }

  /** A process by name, for instance `api`, `scheduler-2`, `postgres`, `daemon`. */
  process(name: string): SupervisedProcess {
    const found = this.processes.get(name);
    if (!found)
      throw new Error(`no process ${name}: there are ${[...this.processes.keys()].join(', ')}`);
    return found;
  }

  /** Brings everything up. On failure everything is stopped again and the reason is thrown. */
  async start(): Promise<void> {
    const { home, daemon } = this.options;
    const { services, migrate, daemon: daemonMain } = this.#context.layout;
    const mains = services.map(({ main }) => main);
    requireFiles([...mains, migrate, ...(daemon === 'local' ? [daemonMain] : [])]);
    ensureHome(home);
    const lock = takeStartLock(home);
    if (!lock.taken) throw new AlreadyRunningError(lock.owner.pid);
    this.#release = lock.release;
    try {
      await this.#endLeftovers();
      if (!this.options.env.DATABASE_URL) requireRoom(home);
      const ports = await this.#planPorts();
      await this.#startStores(ports);
      await this.#migrate();
      await this.#serve(serviceSpecs(this.#context, ports, this.addresses));
      if (daemon === 'local') await this.#startDaemon();
      this.#ready = true;
      this.#writeState();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Drains and stops everything; twice is fine, before start() too. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  /** Ends everything at once with SIGKILL. */
  kill(): void {
    for (const one of this.processes.values()) one.kill();
  }

  async #drain(): Promise<void> {
    // Whoever looks now must not think that it could join.
    if (this.#ready) {
      this.#ready = false;
      this.#writeState();
    }
    for (const kind of ['daemon', 'service', 'redis', 'postgres'] as const) {
      const ofKind = [...this.processes.values()].filter((one) => one.spec.kind === kind);
      await Promise.all(ofKind.map((one) => one.stop()));
    }
    for (const log of this.#logs.values()) log.close();
    this.#releasePorts();
    if (this.#release) removeState(this.options.home);
    this.#release?.();
    this.#release = undefined;
  }

  /** A start after a kill -9 finds what the dead one left behind. */
  async #endLeftovers(): Promise<void> {
    const left = readState(this.options.home)?.processes ?? [];
    await Promise.all(
      left.map(async ({ kind, pid, startTime }) => {
        if (pid === null || startTime === null) return;
        const signal = kind === 'postgres' ? 'SIGINT' : 'SIGTERM';
        await endProcess({ pid, startTime }, signal, leftoverStopMs);
      }),
    );
  }

  async #planPorts(): Promise<PortPlan> {
    const { ports, release } = await planPorts(this.options.home, portWishes(this.#context), {
      mode: this.options.ports,
      onMoved: (moves) => this.#progress(movesInWords(moves)),
    });
    this.#releasePorts = release;
    return ports;
  }

  async #startStores(ports: PortPlan): Promise<void> {
    const { home, env } = this.options;
    const onProgress = (line: string): void => this.#progress(line);
    const { database, redis } = await chooseStores({ home, env, ports, onProgress });
    this.#addresses = {
      databaseUrl: database.url,
      redisUrl: redis.url,
      ...doorAddresses(this.#context.layout, ports),
    };
    keepStoreUrls(home, this.addresses);
    await this.#serve([database.spec, redis.spec].filter((spec) => spec !== undefined));
  }

  async #migrate(): Promise<void> {
    const env = storeEnvironment(this.options.env, this.addresses, this.options.home);
    await runToEnd({
      name: 'migrating the database',
      program: nodeProgram(this.#context.layout.migrate, [], env, checkout),
      log: this.#log('migrate'),
      timeoutMs: migrateTimeoutMs,
    });
  }

  async #startDaemon(): Promise<void> {
    const { home, env } = this.options;
    const outcome = await enrolDaemon({
      home,
      apiUrl: this.addresses.apiUrl,
      daemonMain: this.#context.layout.daemon,
      daemonEnv: daemonEnvironment(env, this.addresses, home),
      cwd: checkout,
      log: this.#log('daemon'),
    });
    if (outcome === 'no-owner-key') {
      this.#progress('no owner key here, so no daemon starts: join one with makima daemon join');
      return;
    }
    if (outcome === 'enrolled-anew')
      this.#progress('this machine was revoked: it joined anew, as another machine');
    await this.#serve([daemonSpec(this.#context, this.addresses)]);
  }

  /** Starts processes beside each other and waits until all of them serve. */
  async #serve(specs: readonly ProcessSpec[]): Promise<void> {
    if (this.#stopping) throw new Error('stopped while starting');
    const started = specs.map((spec) => {
      const one = new SupervisedProcess({
        ...spec,
        log: this.#log(spec.name),
        onChange: (change) => this.#changed(change),
      });
      this.processes.set(spec.name, one);
      one.start();
      return one;
    });
    await Promise.all(started.map((one) => one.whenReady()));
  }

  #log(name: string): LogFile {
    const log = this.#logs.get(name) ?? new LogFile(join(this.options.home.logs, `${name}.log`));
    this.#logs.set(name, log);
    return log;
  }

  #changed(change: ProcessChange): void {
    if (!this.#stopping) this.#writeState();
    this.options.onEvent?.(change);
  }

  #progress(line: string): void {
    this.options.onEvent?.({ kind: 'progress', line });
  }

  #writeState(): void {
    const { home, env } = this.options;
    writeState(home, {
      ...identify(process.pid)!,
      url: this.addresses.apiUrl,
      ready: this.#ready,
      stores: {
        postgres: env.DATABASE_URL ? 'external' : 'embedded',
        redis: env.REDIS_URL ? 'external' : 'embedded',
      },
      processes: [...this.processes.values()].map((one) => one.record),
    });
  }
}

/** Starts a stack and returns it once everything serves. */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const stack = new Stack(options);
  await stack.start();
  return stack;
};
