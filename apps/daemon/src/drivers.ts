/**
 * Which agents this machine has: each driver is asked once, when the daemon starts.
 *
 * Law: a probe that fails or takes too long makes its agent unavailable, never the daemon.
 */
import type { AgentInfo } from '@makima/contracts/socket/frames';
import { withDeadline } from '@makima/runtime/deadline';
import type { DaemonConfig } from './config.ts';
import type { InstalledDriver } from './context.ts';
import { commandProfile } from './driver/acp-command.ts';
import { geminiProfile } from './driver/acp-gemini.ts';
import { opencodeProfile } from './driver/acp-opencode.ts';
import type { AcpProfile } from './driver/acp-profile.ts';
import { acpDriver } from './driver/acp.ts';
import { claudeDriver } from './driver/claude.ts';
import { codexDriver } from './driver/codex.ts';
import type { AgentDriver } from './driver/driver.ts';
import { scriptedDriver } from './driver/scripted.ts';
import type { Home } from './home.ts';

const probeMs = 15_000;

export interface ProbedDrivers {
  readonly drivers: ReadonlyMap<string, InstalledDriver>;
  /** For hello. */
  readonly infos: AgentInfo[];
}

/** What of the daemon's settings its drivers need: others may look for agents without a daemon. */
export type DriverConfig = Pick<
  DaemonConfig,
  | 'environment'
  | 'claudePath'
  | 'codexPath'
  | 'geminiPath'
  | 'opencodePath'
  | 'acpCommand'
  | 'acpEnvironment'
>;

export function daemonDrivers(config: DriverConfig, home: Pick<Home, 'sessions'>): AgentDriver[] {
  const { environment, claudePath, codexPath, geminiPath, opencodePath } = config;
  const { acpCommand: command, acpEnvironment: environmentNames } = config;
  const sessionsDir = home.sessions;
  const overAcp = (profile: AcpProfile) => acpDriver({ profile, sessionsDir, environment });
  return [
    scriptedDriver({ sessionsDir, environment }),
    claudeDriver({ environment, ...programAt(claudePath) }),
    codexDriver({ sessionsDir, environment, ...programAt(codexPath) }),
    overAcp(geminiProfile(programAt(geminiPath))),
    overAcp(opencodeProfile(programAt(opencodePath))),
    overAcp(commandProfile({ command, environmentNames })),
  ];
}

const programAt = (path: string | null): { readonly program?: string } =>
  path === null ? {} : { program: path };

/** `accounts`: what the person says of whose account an agent uses stands before what is found. */
export async function probeDrivers(
  drivers: readonly AgentDriver[],
  accounts: ReadonlyMap<string, string> = new Map(),
): Promise<ProbedDrivers> {
  const found = await Promise.all(
    drivers.map(async (driver) => {
      const info = await probe(driver);
      const account = accounts.get(driver.kind) ?? info.account;
      return { driver, info: { ...info, ...(account === undefined ? {} : { account }) } };
    }),
  );
  return {
    drivers: new Map(
      found.map(({ driver, info }) => [driver.kind, { driver, version: info.version }]),
    ),
    infos: found.map(({ info }) => info),
  };
}

async function probe(driver: AgentDriver): Promise<AgentInfo> {
  const { kind } = driver;
  try {
    const found = await withDeadline(probeMs, () => driver.probe(), `looking for ${kind}`);
    const { version, tested, signedIn, problem: note, account } = found;
    const available = found.path !== null && signedIn !== false;
    const whose = account === undefined ? {} : { account };
    return { kind, version, tested, available, signedIn, note, ...whose };
  } catch (error) {
    const note = error instanceof Error ? error.message : 'it cannot be run';
    return { kind, version: null, tested: false, available: false, signedIn: null, note };
  }
}
