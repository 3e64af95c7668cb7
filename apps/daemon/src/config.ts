/**
 * Settings of the daemon: what its environment may say, and the numbers that only tests change.
 *
 * Law: `main.ts` alone reads the environment; every other file is given this.
 */
import { hostname, homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { secret, setting } from '@makima/runtime/config';
import { logLevels } from '@makima/runtime/log';
import { forgeDefaults, type ForgeSettings } from './forge/settings.ts';
import { defaultTimings, type LinkTimings } from './link/link.ts';

const accountShape = /^[a-z][a-z0-9-]{0,40}=[\w.@+-]{1,80}$/;

export const daemonSettings = z.object({
  MAKIMA_GATEWAY_URL: setting
    .url(['ws', 'wss'])
    .default('ws://127.0.0.1:7401/daemon')
    .describe('Socket of the gateway, ending in /daemon.'),
  MAKIMA_API_URL: setting
    .url(['http', 'https'])
    .default('http://127.0.0.1:7400')
    .describe('Address of the API, for enrolment and for the tool calls of agents.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting
    .url(['http', 'https'])
    .optional()
    .describe('OTLP/HTTP collector that is sent traces; without it nothing is traced.'),
  MAKIMA_DAEMON_HOME: setting
    .text()
    .default(join(homedir(), '.makima', 'daemon'))
    .describe('Folder of everything that the daemon keeps.'),
  MAKIMA_DAEMON_TOKEN_FILE: setting
    .text()
    .optional()
    .describe('File with the daemon key; `key` in the daemon folder when not set.'),
  MAKIMA_DAEMON_NAME: setting
    .text()
    .default(hostname())
    .describe('Name under which people see it.'),
  MAKIMA_MAX_TASKS: setting
    .int({ min: 1, max: 1000 })
    .optional()
    .describe('Most agents at once; twice the number of cores when not set.'),
  MAKIMA_COMMIT_LEFTOVERS: setting
    .flag()
    .default(true)
    .describe(
      'Commit what a finished task left uncommitted; else it is kept on a ref beside the branch.',
    ),
  MAKIMA_OUTPUT_CAP_BYTES: setting
    .int({ min: 1024 })
    .default(50 * 1024 * 1024)
    .describe('Most output of one attempt that is kept, in bytes.'),
  MAKIMA_JOURNAL_CAP_BYTES: setting
    .int({ min: 65_536 })
    .default(256 * 1024 * 1024)
    .describe('Most bytes of reports that wait for the control plane before output is dropped.'),
  MAKIMA_ALLOW_HOSTS: setting
    .list()
    .default([])
    .describe('Hosts of repositories that may lie on a private network, separated by commas.'),
  MAKIMA_CLI_PATH: setting
    .text()
    .optional()
    .describe(
      'Main file of the makima program that agents find on their PATH; the one beside the daemon when not set.',
    ),
  MAKIMA_GITHUB_TOKEN_FILE: setting
    .text()
    .optional()
    .describe(
      'File with the token for pull requests and for private repositories of that host, readable by this user alone; `github-token` in the daemon folder when not set.',
    ),
  MAKIMA_GITHUB_HOST: setting
    .text()
    .default(forgeDefaults.host)
    .describe(
      'Host of repositories for which pull requests are opened, and to which the token goes.',
    ),
  MAKIMA_GITHUB_API_URL: setting
    .url(['https', 'http'])
    .default(forgeDefaults.apiUrl)
    .describe('Address of its REST API; plain http to this machine only.'),
  MAKIMA_FORGE_CA_FILE: setting
    .text()
    .optional()
    .describe('Certificates (PEM) of the authority behind that host, when it is not a public one.'),
  MAKIMA_CLAUDE_PATH: setting.text().optional().describe('The claude program, when not on PATH.'),
  MAKIMA_CODEX_PATH: setting.text().optional().describe('The codex program, when not on PATH.'),
  MAKIMA_GEMINI_PATH: setting.text().optional().describe('The gemini program, when not on PATH.'),
  MAKIMA_OPENCODE_PATH: setting
    .text()
    .optional()
    .describe('The opencode program, when not on PATH.'),
  MAKIMA_ACP_COMMAND: setting
    .command()
    .optional()
    .describe(
      'Any other agent that speaks ACP, as a JSON list of its program and arguments; agents of kind acp run it.',
    ),
  MAKIMA_ACP_ENV: setting
    .list()
    .default([])
    .describe('Variables of this machine that may reach the agent of MAKIMA_ACP_COMMAND.'),
  MAKIMA_ACCOUNTS: setting
    .list()
    .default([])
    .refine((list) => list.every((item) => accountShape.test(item)), {
      message: 'must be agent=account, separated by commas',
    })
    .describe(
      'Whose account an agent uses here (claude=team,codex=ada): machines that name the same one share its usage limits. Without it an account is told from the sign-in where that is possible, else it is this machine’s alone.',
    ),
  MAKIMA_LEDGER: setting
    .text()
    .optional()
    .describe('File to which scripted agents append what they do, for tests.'),
  MAKIMA_RACE: setting
    .text()
    .optional()
    .describe('racepoints of chaos tests; never set it in production'),
  MAKIMA_TIMINGS: setting.text().optional().describe('JSON with other time limits, for tests.'),
  LOG_LEVEL: setting.choice(logLevels).default('info').describe('Least level that is logged.'),
});
export type DaemonSettings = z.infer<typeof daemonSettings>;

/** One-time token of an enrolment; only `join` reads it. */
export const joinSettings = z.object({
  MAKIMA_JOIN_TOKEN: secret(setting.text().optional(), 'One-time enrolment token for `join`.'),
});

/** Time limits of everything that is not the socket's. Milliseconds. */
export interface DaemonTimings extends LinkTimings {
  /** No answer about a lease for this long: its agent is frozen. */
  readonly freezeAfterMs: number;
  readonly leaseTickMs: number;
  /** Grace of an agent that is stopped by the daemon's own end. */
  readonly drainGraceMs: number;
  readonly drainFlushMs: number;
  /** How long the work of an agent that died waits for its next attempt before it is put aside. */
  readonly leftWorkMs: number;
  /** How long the start of an agent waits for its tool key. */
  readonly toolKeyMs: number;
  /** How long an operation that needs a control plane which is away is tried again. */
  readonly operationMs: number;
  readonly gatherMs: number;
  readonly stallMs: number;
  /** How long a tool call waits for an API that refuses connections. */
  readonly toolRetryMs: number;
  /** Longest time of one request to the forge, and of one push. */
  readonly forgeRequestMs: number;
  readonly forgePushMs: number;
}

export const daemonTimings: DaemonTimings = {
  ...defaultTimings,
  freezeAfterMs: 45_000,
  leaseTickMs: 1_000,
  drainGraceMs: 3_000,
  drainFlushMs: 10_000,
  leftWorkMs: 20_000,
  toolKeyMs: 60_000,
  operationMs: 600_000,
  gatherMs: 20,
  stallMs: 300_000,
  toolRetryMs: 60_000,
  forgeRequestMs: forgeDefaults.requestMs,
  forgePushMs: forgeDefaults.pushMs,
};

export interface DaemonConfig {
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  readonly homeDir: string;
  readonly key: string;
  readonly maxTasks: number;
  readonly commitLeftovers: boolean;
  readonly outputCapBytes: number;
  readonly journalCapBytes: number;
  readonly allowHosts: readonly string[];
  /** Main file of the `makima` program for agents' shells. */
  readonly cliPath: string;
  readonly forge: ForgeSettings;
  readonly claudePath: string | null;
  readonly codexPath: string | null;
  readonly geminiPath: string | null;
  readonly opencodePath: string | null;
  /** The agent of kind `acp`, and the variables that may reach it. */
  readonly acpCommand: readonly string[] | null;
  readonly acpEnvironment: readonly string[];
  /** Accounts by kind of agent, where the person says whose they are. */
  readonly accounts: ReadonlyMap<string, string>;
  readonly ledgerPath: string | null;
  readonly timings: DaemonTimings;
  /** The daemon's own environment, of which drivers pass an allow list on to agents. */
  readonly environment: NodeJS.ProcessEnv;
}

/** `claude=team` items that were checked. */
export function accountsFrom(items: readonly string[]): ReadonlyMap<string, string> {
  return new Map(items.map((item) => item.split('=', 2) as [string, string]));
}

/** Limits from the environment over the standing ones; unknown names are refused. */
export function timingsFrom(json: string | undefined): DaemonTimings {
  if (json === undefined) return daemonTimings;
  const names = Object.keys(daemonTimings) as (keyof DaemonTimings)[];
  const shape = Object.fromEntries(names.map((name) => [name, z.number().optional()]));
  return { ...daemonTimings, ...z.strictObject(shape).parse(JSON.parse(json)) };
}
