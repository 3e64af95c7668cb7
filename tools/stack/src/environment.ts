// What each process of the stack is told by its environment.
// Why: this is the contract between the stack and the services; it stands in one place.
// Law: a service sees an allow list of the user's environment and the names of files with the addresses
// of the stores, never those; the daemon, which starts agents, sees the user's environment without any
// secret of the stores or key of makima.
import { compileCacheDir } from './checkout.ts';
import { daemonTokenFile, ownerKeyFile, type Home } from './home.ts';
import { storeFileEnvironment } from './store-secrets.ts';

export interface Addresses {
  databaseUrl: string;
  redisUrl: string;
  /** For people and programs: http://127.0.0.1:port */
  apiUrl: string;
  /** For daemons: ws://127.0.0.1:port/daemon */
  gatewayUrl: string;
}

const passedOn = /^(?:PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|NODE_.*|SSL_.*|OTEL_.*|MAKIMA_.*)$/;
/** Credentials of people and machines: no business of a service or daemon. */
const keyOfSomebody = /^MAKIMA_(?:\w+_)?(?:TOKEN|SECRET|KEY)$/;
const keptFromDaemon =
  /^(?:(?:TEST_)?(?:DATABASE|REDIS)_URL(?:_FILE)?|PGPASSWORD|REDISCLI_AUTH|PORT|HOST)$/;

const pick = (env: NodeJS.ProcessEnv, wanted: (name: string) => boolean): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => wanted(name)));

/** For migrations and every service. */
export const storeEnvironment = (
  env: NodeJS.ProcessEnv,
  addresses: Addresses,
  home: Home,
): NodeJS.ProcessEnv => ({
  NODE_COMPILE_CACHE: compileCacheDir,
  ...pick(env, (name) => passedOn.test(name) && !keyOfSomebody.test(name)),
  LOG_LEVEL: env.LOG_LEVEL || 'info',
  ...storeFileEnvironment(home),
  MAKIMA_PUBLIC_URL: addresses.apiUrl,
});

export const serviceEnvironment = (
  env: NodeJS.ProcessEnv,
  addresses: Addresses,
  home: Home,
  port: number,
): NodeJS.ProcessEnv => ({
  ...storeEnvironment(env, addresses, home),
  PORT: String(port),
  HOST: '127.0.0.1',
});

/** Where the API writes the owner key at its first start. */
export const ownerKeyEnvironment = (home: Home): NodeJS.ProcessEnv => ({
  MAKIMA_OWNER_KEY_FILE: ownerKeyFile(home),
});

export const daemonEnvironment = (
  env: NodeJS.ProcessEnv,
  addresses: Addresses,
  home: Home,
): NodeJS.ProcessEnv => ({
  NODE_COMPILE_CACHE: compileCacheDir,
  ...pick(env, (name) => !keptFromDaemon.test(name) && !keyOfSomebody.test(name)),
  LOG_LEVEL: env.LOG_LEVEL || 'info',
  MAKIMA_API_URL: addresses.apiUrl,
  MAKIMA_GATEWAY_URL: addresses.gatewayUrl,
  MAKIMA_DAEMON_HOME: home.daemon,
  MAKIMA_DAEMON_TOKEN_FILE: daemonTokenFile(home),
});
