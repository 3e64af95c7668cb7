// What happens to whole machines: gone for good, cut off for longer than a lease, and there twice.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { daemonEnvironment } from '@makima/stack/environment';
import { daemonTokenFile, homeAt } from '@makima/stack/home';
import { makimaLayout } from '@makima/stack/layout';
import { LogFile } from '@makima/stack/log-file';
import { daemonSpec } from '@makima/stack/specs';
import { SupervisedProcess } from '@makima/stack/supervised';
import { liveAgents } from '../house/agents.ts';
import type { House } from '../house/house.ts';
import { treeOf } from '../house/process-tree.ts';
import { aimedAt } from '../schedule.ts';
import type { Fault } from './fault.ts';
import { robustMachines } from './kills.ts';

/** A daemon and its agents end and never come back. One machine always stays. */
export function goneForGood(): Fault {
  const gone = new Set<string>();
  return {
    about: 'a machine goes and never comes back',
    recovery: 'agents',
    strike(house, aim) {
      const left = house.machines.filter((name) => !gone.has(name));
      const name = aimedAt(left, aim.at);
      if (name === undefined || left.length === 1) return null;
      const one = house.process(name);
      const { pid } = one;
      if (pid === null) return null;
      const below = new Set(treeOf(pid));
      const ended = liveAgents(house.ledger).filter((agent) => below.has(agent.pid));
      gone.add(name);
      const at = Date.now();
      one.kill();
      return {
        at,
        hit: `${name} with ${ended.length} agents`,
        ended,
        evidence: async () => {
          const rows = await house.sql`
            select 1 from daemons where status <> 'connected'`.catch(() => []);
          return rows.length > 0 ? 'the control plane noticed' : undefined;
        },
      };
    },
  };
}

/** For longer than a lease of production lasts, renewed just before. */
const awayMs = 75_000;

/** A daemon and its agents end; its machine is back, with its journal, when its leases are long over. */
export const away: Fault = {
  about: `a machine goes for ${awayMs / 1_000} s, which is longer than its leases last`,
  recovery: 'agents',
  needs: { machines: 3, seconds: 240 },
  strike(house, aim) {
    const name = aimedAt(robustMachines(house), aim.at);
    if (name === undefined) return null;
    const one = house.process(name);
    const { pid } = one;
    if (pid === null) return null;
    const below = new Set(treeOf(pid));
    const ended = liveAgents(house.ledger).filter((agent) => below.has(agent.pid));
    let wasGone = false;
    const at = Date.now();
    one.kill();
    return {
      at,
      hit: `${name} with ${ended.length} agents`,
      lastsMs: awayMs,
      touches: [name],
      ended,
      heal() {
        wasGone = one.pid === null;
        one.start();
      },
      evidence: () => (wasGone && one.isReady ? `${name} was gone and is back` : undefined),
    };
  },
};

/** Both ways of one machine are dead for longer than its leases last; then it is back, with what it did meanwhile. */
export function partitioned(lastsMs: number): Fault {
  return {
    about: `a machine is cut off for ${lastsMs / 1_000} s, which is longer than its leases last`,
    recovery: 'none',
    strike(house, aim) {
      const name = aimedAt(house.machines, aim.at) ?? 'daemon';
      const links = [house.links.of(name, 'gateway'), house.links.of(name, 'api')];
      const before = links.reduce((all, { counts }) => all + counts.held, 0);
      for (const link of links) link.block('both');
      return {
        hit: name,
        lastsMs,
        heal: () => links.forEach((link) => link.heal()),
        evidence: () =>
          links.reduce((all, { counts }) => all + counts.held, 0) > before
            ? 'what passed was held'
            : undefined,
      };
    },
  };
}

/** A copy of the first machine, with its key, from a folder of its own. */
export const twice: Fault = {
  about: 'a second daemon comes with the key of the first, and leaves again',
  recovery: 'none',
  async strike(house) {
    const epoch = await epochs(house);
    const copy = await startCopy(house);
    return {
      hit: `a copy (pid ${copy.pid})`,
      lastsMs: 8_000,
      heal: () => copy.stop(),
      evidence: async () =>
        (await epochs(house)) > epoch ? 'sessions were taken over' : undefined,
    };
  },
};

async function startCopy({ stack, dir, links }: House): Promise<SupervisedProcess> {
  const { home: original } = stack.options;
  const home = homeAt(join(dir, 'copy'));
  mkdirSync(home.secrets, { recursive: true, mode: 0o700 });
  mkdirSync(home.daemon, { recursive: true, mode: 0o700 });
  cpSync(daemonTokenFile(original), daemonTokenFile(home));
  const context = {
    layout: makimaLayout,
    replicas: {},
    env: stack.options.env,
    home,
    environmentFor: () =>
      links.between('daemon', daemonEnvironment(stack.options.env, stack.addresses, home)),
  };
  const process = new SupervisedProcess({
    ...daemonSpec(context, stack.addresses),
    name: 'copy',
    log: new LogFile(join(original.logs, 'copy.log')),
    onChange: () => {},
  });
  process.start();
  return process;
}

async function epochs({ sql }: House): Promise<number> {
  const rows = await sql<{ sum: number }[]>`
    select coalesce(sum(session_epoch), 0)::int as sum from daemons`.catch(() => []);
  return rows[0]?.sum ?? Number.POSITIVE_INFINITY;
}
