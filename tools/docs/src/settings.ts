/**
 * The settings of every process that has a schema, as `settings.md` and `.env.example` show them.
 *
 * Law: what all services share stands once; values that belong to one machine are written as what they are.
 */
import { homedir, hostname } from 'node:os';
import type { z } from 'zod';
import { apiConfig } from '@makima/api/config';
import { gatewayConfig } from '@makima/daemon-gateway/config';
import { daemonSettings, joinSettings } from '@makima/daemon/config';
import { restorerConfig } from '@makima/restorer/config';
import { describeConfig, type ConfigField, type ConfigShape } from '@makima/runtime/config';
import { schedulerConfig } from '@makima/scheduler/config';

export interface Process {
  readonly title: string;
  readonly source: string;
  readonly fields: readonly ConfigField[];
}

const service = (title: string, schema: z.ZodObject<ConfigShape>): Process => ({
  title,
  source: `services/${title}/src/config.ts`,
  fields: described(schema),
});

const services = [
  service('api', apiConfig),
  service('daemon-gateway', gatewayConfig),
  service('restorer', restorerConfig),
  service('scheduler', schedulerConfig),
];

const [first] = services;
const common = (first?.fields ?? []).filter((field) =>
  services.every(({ fields }) => fields.some((other) => isSame(field, other))),
);

/** What every service has, then what each has of its own, then the daemon. */
export const processes: readonly Process[] = [
  { title: 'Every service', source: 'packages/engine/src/settings.ts', fields: common },
  ...services.map((one) => ({
    ...one,
    fields: one.fields.filter((field) => !common.some((other) => isSame(field, other))),
  })),
  {
    title: 'daemon',
    source: 'apps/daemon/src/config.ts',
    fields: [...described(daemonSettings), ...described(joinSettings)],
  },
];

function described(schema: z.ZodObject<ConfigShape>): ConfigField[] {
  return describeConfig(schema).map((field) => ({
    ...field,
    defaultValue: portable(field.defaultValue),
  }));
}

/** A default without the machine on which it was read. */
function portable(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value === hostname()) return '<host name>';
  return value.startsWith(`${homedir()}/`) ? `~${value.slice(homedir().length)}` : value;
}

function isSame(a: ConfigField, b: ConfigField): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
