// docker-compose.yml against the code that it starts: names, values, doors, time to stop.
// Why: a compose file and the settings drift apart in silence, and whoever deploys it finds out.
// Law: read as data, with the settings that each service itself reads; no engine of containers is needed.
import { readdirSync, readFileSync } from 'node:fs';
import { apiConfig } from '@makima/api/config';
import { gatewayConfig } from '@makima/daemon-gateway/config';
import { restorerConfig } from '@makima/restorer/config';
import { readConfig, type ConfigShape } from '@makima/runtime/config';
import { schedulerConfig } from '@makima/scheduler/config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

type Settings = Parameters<typeof readConfig<ConfigShape>>[0];

interface Service {
  readonly build?: { readonly args: { readonly SERVICE: string } };
  readonly environment: Readonly<Record<string, string | null>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
}

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docker-compose.yml', root), 'utf8');
const password = 'a1b2c3';

/** As compose does: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. @throws with the message. */
function interpolate(source: string, env: Readonly<Record<string, string>>): string {
  return source.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string | undefined, rest: string) => {
      const value = env[name];
      if (value) return value;
      if (kind === '?') throw new Error(`${name} ${rest}`);
      return kind === '-' ? rest : '';
    },
  );
}

function servicesWith(env: Readonly<Record<string, string>>): Record<string, Service> {
  const file = parse(interpolate(text, env), { merge: true }) as {
    services: Record<string, Service>;
  };
  return file.services;
}

const services = servicesWith({ STORE_PASSWORD: password });
const settings: Readonly<Record<string, Settings>> = {
  api: apiConfig,
  'daemon-gateway': gatewayConfig,
  scheduler: schedulerConfig,
  restorer: restorerConfig,
};
const names = Object.keys(settings);

/** What the container gets: a name without a value is passed on when the person has set it. */
const environmentOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(services[name]!.environment).flatMap(([key, value]) =>
      value === null ? [] : [[key, String(value)]],
    ),
  );

describe('docker-compose.yml', () => {
  it('starts every service of the house, from the image of its own name', () => {
    expect(names.toSorted()).toEqual(readdirSync(new URL('services', root)).toSorted());
    for (const name of names) expect(services[name]?.build?.args.SERVICE).toBe(name);
  });

  it.each(names)('gives %s settings that it knows, and all that it needs', (name) => {
    const known = Object.keys(settings[name]!.shape);
    const given = Object.keys(services[name]!.environment);
    expect(given.filter((key) => !known.includes(key))).toEqual([]);
    const config = readConfig(settings[name]!, environmentOf(name));
    expect(config['DATABASE_URL']).toBe(`postgres://makima:${password}@postgres:5432/makima`);
    expect(config['REDIS_URL']).toBe(`redis://:${password}@redis:6379`);
  });

  it('does not start with a password that everybody knows', () => {
    expect(() => servicesWith({})).toThrow(/STORE_PASSWORD is not set/);
    const postgres = services['postgres']!;
    expect(postgres.environment['POSTGRES_PASSWORD']).toBe(password);
  });

  it('publishes the two doors, on loopback, at the ports that they listen on', () => {
    const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [name, port]),
    );
    expect(published).toEqual([
      ['api', `127.0.0.1:7400:${environmentOf('api')['PORT']}`],
      ['daemon-gateway', `127.0.0.1:7401:${environmentOf('daemon-gateway')['PORT']}`],
    ]);
  });

  it('answers to the name under which the other containers know it', () => {
    for (const name of ['api', 'daemon-gateway']) {
      const config = readConfig(settings[name]!, environmentOf(name));
      expect(config['MAKIMA_ALLOWED_HOSTS']).toContain(name);
    }
  });

  it('keeps the owner key in a volume, out of the log', () => {
    const file = environmentOf('api')['MAKIMA_OWNER_KEY_FILE'] ?? '';
    const folders = services['api']!.volumes!.map((volume) => volume.split(':')[1]);
    expect(folders).toContain(file.slice(0, file.lastIndexOf('/')));
  });

  it('gives each service the time of its drain, and no place to write but /tmp', () => {
    for (const name of names) {
      const main = readFileSync(new URL(`services/${name}/src/main.ts`, root), 'utf8');
      const drainMs = Number(/drainMs: ([\d_]+)/.exec(main)?.[1]?.replaceAll('_', '') ?? 30_000);
      expect(Number.parseInt(services[name]!.stop_grace_period!, 10) * 1_000).toBeGreaterThan(
        drainMs,
      );
      expect(services[name]!.read_only).toBe(true);
    }
  });
});
