/**
 * The daemon's process: `start`, `join`, `status`. Reads the environment; everything else is given it.
 *
 * Law: exit codes: 0 done or drained, 1 it failed, 2 it was called wrongly. A key stands in a file, never in
 * an argument that stays or in the environment of agents.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { badSettingsExitCode, ConfigError, readConfig } from '@makima/runtime/config';
import { runApp } from '@makima/runtime/lifecycle';
import { startTracing } from '@makima/runtime/tracing';
import { createLog } from '@makima/runtime/log';
import { initRacepoints } from '@makima/runtime/racepoint';
import {
  daemonSettings,
  joinSettings,
  accountsFrom,
  timingsFrom,
  type DaemonConfig,
  type DaemonSettings,
} from './config.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { enrol } from './enrol.ts';
import { configureGit } from './git/run.ts';
import { homeAt, ownerOf, takeHome } from './home.ts';

const usage = `Usage: daemon start
       daemon join (--token <token> | --token-stdin) [--api <url>]
       daemon status`;

const besideUs = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const drainMs = 40_000;

async function main(): Promise<number | null> {
  const [command, ...rest] = process.argv.slice(2);
  const settings = readConfig(daemonSettings, process.env);
  switch (command) {
    case 'start':
      return start(settings);
    case 'join':
      return joinControlPlane(settings, rest);
    case 'status':
      return status(settings);
    case undefined:
    default:
      process.stderr.write(`${usage}\n`);
      return 2;
  }
}

const keyFileOf = (settings: DaemonSettings): string =>
  settings.MAKIMA_DAEMON_TOKEN_FILE ?? join(settings.MAKIMA_DAEMON_HOME, 'key');

/** Null: the process goes on until it is told to stop. */
async function start(settings: DaemonSettings): Promise<number | null> {
  const home = homeAt(settings.MAKIMA_DAEMON_HOME);
  const key = (await readFile(keyFileOf(settings), 'utf8').catch(() => '')).trim();
  if (key === '') {
    throw new Error('This machine is not enrolled. Run `makima daemon join` with a token first.');
  }
  const log = createLog({ service: 'daemon', level: settings.LOG_LEVEL });
  const racepoints = initRacepoints(settings.MAKIMA_RACE, process.env.NODE_ENV);
  if (racepoints.length > 0) log.warn({ racepoints }, 'racepoints are set');
  // Where this user's programs are: git itself, and those that a check command names.
  const { PATH: path, SSH_AUTH_SOCK: sshAuthSock } = process.env;
  configureGit({ ...(path && { path }), ...(sshAuthSock && { sshAuthSock }) });
  const giveBack = takeHome(home);
  let daemon: Daemon | null = null;
  let statusTimer: NodeJS.Timeout | undefined;
  const config = configFrom(settings, key);
  let written = '';
  const writeStatus = async (): Promise<void> => {
    const { bootId, connected, running } = daemon ?? {
      bootId: null,
      connected: false,
      running: [],
    };
    const facts = JSON.stringify({ pid: process.pid, bootId, connected, running });
    if (facts === written) return;
    written = facts;
    await writeStatusFile(home.statusFile, facts).catch(() => undefined);
  };
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracing = await startTracing({ service: 'daemon', endpoint });
  await runApp({
    log,
    drainMs,
    parts: [
      tracing,
      {
        name: 'daemon',
        stopMs: drainMs - 1_000,
        async start() {
          daemon = await startDaemon(config, log);
          await writeStatus();
          statusTimer = setInterval(() => void writeStatus(), 100);
        },
        async stop() {
          clearInterval(statusTimer);
          await daemon?.stop();
          giveBack();
        },
      },
    ],
  });
  return null;
}

/** Whole or not at all: others read it at any moment. */
async function writeStatusFile(file: string, facts: string): Promise<void> {
  await writeFile(`${file}.new`, facts, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function configFrom(settings: DaemonSettings, key: string): DaemonConfig {
  const timings = timingsFrom(settings.MAKIMA_TIMINGS);
  return {
    gatewayUrl: settings.MAKIMA_GATEWAY_URL,
    apiUrl: settings.MAKIMA_API_URL,
    homeDir: settings.MAKIMA_DAEMON_HOME,
    key,
    maxTasks: settings.MAKIMA_MAX_TASKS ?? 2 * availableParallelism(),
    commitLeftovers: settings.MAKIMA_COMMIT_LEFTOVERS,
    outputCapBytes: settings.MAKIMA_OUTPUT_CAP_BYTES,
    journalCapBytes: settings.MAKIMA_JOURNAL_CAP_BYTES,
    allowHosts: settings.MAKIMA_ALLOW_HOSTS,
    cliPath: settings.MAKIMA_CLI_PATH ?? besideUs,
    forge: {
      apiUrl: settings.MAKIMA_GITHUB_API_URL.replace(/\/+$/, ''),
      host: settings.MAKIMA_GITHUB_HOST.toLowerCase(),
      tokenFile:
        settings.MAKIMA_GITHUB_TOKEN_FILE ?? join(settings.MAKIMA_DAEMON_HOME, 'github-token'),
      caFile: settings.MAKIMA_FORGE_CA_FILE ?? null,
      requestMs: timings.forgeRequestMs,
      pushMs: timings.forgePushMs,
    },
    accounts: accountsFrom(settings.MAKIMA_ACCOUNTS),
    claudePath: settings.MAKIMA_CLAUDE_PATH ?? null,
    codexPath: settings.MAKIMA_CODEX_PATH ?? null,
    geminiPath: settings.MAKIMA_GEMINI_PATH ?? null,
    opencodePath: settings.MAKIMA_OPENCODE_PATH ?? null,
    acpCommand: settings.MAKIMA_ACP_COMMAND ?? null,
    acpEnvironment: settings.MAKIMA_ACP_ENV,
    ledgerPath: settings.MAKIMA_LEDGER ?? null,
    timings,
    environment: process.env,
  };
}

async function joinControlPlane(settings: DaemonSettings, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      token: { type: 'string' },
      'token-stdin': { type: 'boolean', default: false },
      api: { type: 'string' },
      name: { type: 'string' },
    },
  });
  const given = values['token-stdin'] ? (await text(process.stdin)).trim() : values.token;
  const token = given ?? readConfig(joinSettings, process.env).MAKIMA_JOIN_TOKEN;
  if (token === undefined || token === '') {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const home = homeAt(settings.MAKIMA_DAEMON_HOME);
  const pid = ownerOf(home);
  if (pid !== null) throw new Error(`A daemon (pid ${pid}) runs on this folder: stop it first.`);
  const daemonId = await enrol({
    apiUrl: values.api ?? settings.MAKIMA_API_URL,
    token,
    name: values.name ?? settings.MAKIMA_DAEMON_NAME,
    host: hostname(),
    keyFile: keyFileOf(settings),
    journalDir: home.journal,
  });
  process.stdout.write(`${JSON.stringify({ daemonId })}\n`);
  return 0;
}

/** One line of JSON: what the running daemon last wrote of itself. Exit 1 when none runs. */
async function status(settings: DaemonSettings): Promise<number> {
  const home = homeAt(settings.MAKIMA_DAEMON_HOME);
  const pid = ownerOf(home);
  const written = await readFile(home.statusFile, 'utf8').catch(() => '{}');
  const facts = pid === null ? { running: [], connected: false } : (JSON.parse(written) as object);
  process.stdout.write(`${JSON.stringify({ ...facts, pid })}\n`);
  return pid === null ? 1 : 0;
}

try {
  const code = await main();
  if (code !== null) process.exitCode = code;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? badSettingsExitCode : 1;
}
