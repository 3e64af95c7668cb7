/** `agents.md`: what each driver of this checkout can do. */
import { daemonDrivers } from '@makima/daemon/drivers';
import { daemonTimings, type DaemonConfig } from '@makima/daemon/config';
import { homeAt } from '@makima/daemon/home';
import { readSource } from '../checkout.ts';
import { fieldComments } from '../comments.ts';
import { code, codes, page, table } from '../markdown.ts';

const driverFile = 'apps/daemon/src/driver/driver.ts';

/** Nothing is started with it: drivers only say what they are. */
const config: DaemonConfig = {
  gatewayUrl: '',
  apiUrl: '',
  homeDir: '',
  key: '',
  maxTasks: 1,
  commitLeftovers: true,
  outputCapBytes: 0,
  journalCapBytes: 0,
  allowHosts: [],
  cliPath: '',
  claudePath: null,
  codexPath: null,
  ledgerPath: null,
  timings: daemonTimings,
  environment: {},
};

export function agentsPage(): string {
  const drivers = daemonDrivers(config, homeAt('home')).toSorted((a, b) =>
    a.kind.localeCompare(b.kind, 'en'),
  );
  const source = readSource(driverFile);
  const caps = source.slice(source.indexOf('export interface AgentCaps'));
  const meanings = fieldComments(caps.slice(0, caps.indexOf('\n}')));
  const names = Object.keys(drivers[0]?.caps ?? {}) as (keyof (typeof drivers)[number]['caps'])[];
  return page(
    'Agents',
    [driverFile, 'apps/daemon/src/drivers.ts'],
    [
      `Kinds: ${codes(drivers.map(({ kind }) => kind))}. A daemon looks for each when it starts and tells what it found in its hello (\`makima daemon list\`). Whoever uses a session asks what it can do, never which kind it is; every driver passes the same conformance suite.`,
      table(
        ['can', ...drivers.map(({ kind }) => kind), 'means'],
        names.map((name) => [
          code(name),
          ...drivers.map(({ caps: can }) =>
            typeof can[name] === 'boolean' ? (can[name] ? 'yes' : 'no') : String(can[name]),
          ),
          meanings.get(name) ?? '',
        ]),
      ),
    ],
  );
}
