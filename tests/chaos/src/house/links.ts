// The links of a house: between every service and both stores, and between a daemon and both doors.
// Law: opened before anything starts, since a process is told its addresses once.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLink, type Link } from './link.ts';

export type End = 'postgres' | 'redis' | 'gateway' | 'api';

export interface Links {
  /** The links that lead to this end, by the process that uses them. */
  to(end: End): ReadonlyMap<string, Link>;
  of(process: string, end: End): Link;
  /** The environment with every address led through a link. */
  between(process: string, environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv;
  healAll(): void;
  close(): Promise<void>;
}

/** Variables that hold an address, and what it leads to. */
const addresses: readonly (readonly [variable: string, end: End])[] = [
  ['DATABASE_URL', 'postgres'],
  ['REDIS_URL', 'redis'],
  ['MAKIMA_GATEWAY_URL', 'gateway'],
  ['MAKIMA_API_URL', 'api'],
];

export async function openLinks(
  services: readonly string[],
  machines: readonly string[],
  /** For files with addresses. */
  dir: string,
): Promise<Links> {
  const links = new Map<string, Link>();
  for (const name of services)
    for (const end of ['postgres', 'redis'] as const) links.set(`${name}>${end}`, await openLink());
  for (const name of machines)
    for (const end of ['gateway', 'api'] as const) links.set(`${name}>${end}`, await openLink());
  return {
    to: (end) =>
      new Map(
        [...links]
          .filter(([key]) => key.endsWith(`>${end}`))
          .map(([key, link]) => [key.slice(0, key.indexOf('>')), link]),
      ),
    of(process, end) {
      const link = links.get(`${process}>${end}`);
      if (link === undefined) throw new Error(`no link leads from ${process} to ${end}`);
      return link;
    },
    between(process, environment) {
      const changed: NodeJS.ProcessEnv = { ...environment };
      for (const [variable, end] of addresses) {
        const link = links.get(`${process}>${end}`);
        const inFile = environment[`${variable}_FILE`];
        const address = environment[variable] ?? (inFile && readFileSync(inFile, 'utf8').trim());
        if (link === undefined || address === undefined || address === '') continue;
        const url = new URL(address);
        link.lead(url.hostname, Number(url.port));
        url.port = String(link.port);
        const through = url.href.replace(/\/$/, '');
        if (inFile === undefined) changed[variable] = through;
        else changed[`${variable}_FILE`] = written(dir, `${process}-${end}`, through);
      }
      return changed;
    },
    healAll: () => links.forEach((link) => link.heal()),
    close: async () => void (await Promise.all([...links.values()].map((link) => link.close()))),
  };
}

/** Addresses carry passwords: a file for this user alone, as the stack's own are. */
function written(dir: string, name: string, address: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, name);
  writeFileSync(file, `${address}\n`, { mode: 0o600 });
  return file;
}
