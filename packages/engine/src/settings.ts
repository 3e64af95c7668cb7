/**
 * Settings of the installation as environment variables, the same for every service that runs verbs: each
 * spreads `settingFields` into its own schema and reads them back with `settingsOf` and `limitsOf`.
 *
 * Law: names are the seeds' (surface.md) in capitals; every field has a meaning; a limit is named as in
 * `domain/limits`.
 */
import { z } from 'zod';
import { limits, type Limits } from '@makima/domain/limits';
import { readUsd, type Price } from '@makima/domain/usage';
import type { Settings } from './context.ts';

/** Tables of a file: each key of it is a variable of the environment. */
export type ConfigTables = Readonly<Record<string, ReadonlyMap<string, string>>>;

const minutes = (fallback: number, meaning: string) =>
  z.coerce.number('must be a number').min(0).max(525_600).default(fallback).describe(meaning);

const whole = (bounds: { min: number; max: number; fallback: number }, meaning: string) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(bounds.min)
    .max(bounds.max)
    .default(bounds.fallback)
    .describe(meaning);

/** A feature flag: on unless it is switched off. */
const flag = (meaning: string) =>
  z
    .stringbool({ error: 'must be true or false' })
    .default(true)
    .describe(`feature flag: ${meaning}`);

const days = (meaning: string) =>
  z.coerce.number('must be a number').min(0).max(36_500).default(30).describe(meaning);

/** 0 is never. */
const timeOrNever = (count: number, unitMs: number): number | null =>
  count === 0 ? null : count * unitMs;

export const settingFields = {
  MAKIMA_STALE_THRESHOLD_MINUTES: minutes(30, 'silence after which an active contract is stale'),
  MAKIMA_HEARTBEAT_INTERVAL_SECONDS: whole(
    { min: 0, max: 86_400, fallback: 30 },
    'how often a heartbeat of a supervisor is kept; daemons beat every 10 s, and 0 keeps each of theirs',
  ),
  MAKIMA_HEARTBEAT_TIMEOUT_SECONDS: whole(
    { min: 1, max: 86_400, fallback: 120 },
    'silence after which a supervisor that should work counts as dead (SUPERVISOR_DEAD)',
  ),
  MAKIMA_INPUT_TIMEOUT_HOURS: z.coerce
    .number('must be a number')
    .min(0)
    .max(8_760)
    .default(24)
    .describe('hours without an answer after which a contract is paused; 0: it waits for ever'),
  MAKIMA_ARCHIVE_AFTER_DAYS: days('days after its end when a contract is archived; 0: never'),
  MAKIMA_ARCHIVE_RETENTION_DAYS: days(
    'days that an archived contract is kept before it is deleted; 0: for ever',
  ),
  MAKIMA_INCIDENT_RETENTION_DAYS: days(
    'days that an incident is kept after it is over; 0: for ever',
  ),
  MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: minutes(
    5,
    'how long a contract that is about to complete can be held back',
  ),
  MAKIMA_AUTO_ADVANCE_PHASES: z
    .stringbool({ error: 'must be true or false' })
    .default(true)
    .describe('whether an unguarded phase whose gate is met is left by itself'),
  MAKIMA_AUTO_COMPLETE_ENABLED: z
    .stringbool({ error: 'must be true or false' })
    .default(true)
    .describe(
      'whether a contract whose last gate is met completes by itself; false: a person is asked',
    ),
  MAKIMA_LEASE_SECONDS: z.coerce
    .number('must be a number')
    .min(1)
    .max(3_600)
    .default(60)
    .describe('how long a daemon may be silent before its tasks are given to another'),
  MAKIMA_MAX_RETRIES: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(0)
    .max(100)
    .default(limits.maxRetriesPerTask)
    .describe('attempts that a task gets after its first'),
  MAKIMA_PARK_AFTER_SECONDS: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(0)
    .max(604_800)
    .default(120)
    .describe(
      'how long a supervisor may wait before it gives up its process, 10 s at most where others wait for a place on its full machine; 0: it never does',
    ),
  MAKIMA_PUBLIC_URL: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
      error: 'must be a URL that starts with http:// or https://',
    })
    .optional()
    .describe(
      'address under which people reach this installation: its host is allowed, links in messages begin with it, https turns HSTS on',
    ),
  MAKIMA_WEBHOOK_ALLOWED_HOSTS: z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .default([])
    .describe(
      'hosts that webhooks may reach although they are not public: host or host:port, separated by commas',
    ),
  MAKIMA_PRICES: z
    .string()
    .transform(parsePrices)
    .default(new Map())
    .describe(
      'prices of models whose agents tell no cost, in dollars for a million tokens: model=input/output/cache read/cache write (the last two may be left out: as input), separated by commas; a model is the beginning of its name, or a kind of agent',
    ),
  MAKIMA_MONITOR_WS_BUFFER_SIZE: whole(
    { min: 10, max: 100_000, fallback: 1_000 },
    'events that wait in memory for one monitor; a slower one catches up from the store',
  ),
  MAKIMA_STALE_DETECTION_INTERVAL_SECONDS: whole(
    { min: 1, max: 86_400, fallback: 60 },
    'how often contracts are looked for that have become stale',
  ),
  MAKIMA_ENHANCED_CONTRACT_STATUS: flag(
    'whether contracts rest in other statuses than active, completed and archived; without it nobody pauses or blocks one, a question leaves it active, and what fails is archived',
  ),
  MAKIMA_AUTO_COMPLETE: flag(
    'whether phases are left and contracts complete by themselves at all; off, it counts more than MAKIMA_AUTO_ADVANCE_PHASES, MAKIMA_AUTO_COMPLETE_ENABLED and a contract’s own word: a person advances and completes each',
  ),
  MAKIMA_SUPERVISOR_HEARTBEAT: flag(
    'whether heartbeats of supervisors are kept, and silence counts as SUPERVISOR_DEAD',
  ),
  MAKIMA_MONITORING_DASHBOARD: flag('whether there is a monitor of contracts and a dashboard'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
      error: 'must be a URL that starts with http:// or https://',
    })
    .optional()
    .describe('OTLP/HTTP collector that is sent traces; without it nothing is traced'),
  MAKIMA_CONFIG_FILE: z
    .string()
    .optional()
    .describe(
      'TOML file with the tables [contracts] and [feature_flags]; what the environment says counts more',
    ),
  MAKIMA_LIMITS: z
    .string()
    .transform(parseLimits)
    .default({})
    .describe('limits other than their defaults: name=value, separated by commas'),
};

const flagNames = [
  'MAKIMA_ENHANCED_CONTRACT_STATUS',
  'MAKIMA_AUTO_COMPLETE',
  'MAKIMA_SUPERVISOR_HEARTBEAT',
  'MAKIMA_MONITORING_DASHBOARD',
] as const satisfies readonly (keyof typeof settingFields)[];

/** Of one process each, described in its own schema; the file is one for all processes, and each takes its own. */
const namesOfOneProcess = [
  'MAKIMA_TYPES_DIR',
  'MAKIMA_ALLOWED_HOSTS',
  'MAKIMA_OWNER_KEY_FILE',
  'MAKIMA_GATEWAY_UPGRADES_PER_SECOND',
  'MAKIMA_GATEWAY_SOCKETS_MAX',
  'MAKIMA_AUDIT_INTERVAL_SECONDS',
];

/** What may stand in a table of the configuration file: keys, with the variables that say the same. */
export const settingTables: ConfigTables = {
  contracts: keysOf(
    [...Object.keys(settingFields), ...namesOfOneProcess].filter(
      (name) =>
        name.startsWith('MAKIMA_') &&
        name !== 'MAKIMA_CONFIG_FILE' &&
        !flagNames.some((flagName) => flagName === name),
    ),
  ),
  feature_flags: keysOf(flagNames),
};

function keysOf(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.replace(/^MAKIMA_/, '').toLowerCase(), name]));
}

type SettingValues = Readonly<z.output<z.ZodObject<typeof settingFields>>>;

export function settingsOf(values: SettingValues): Settings {
  return {
    staleThresholdMs: values.MAKIMA_STALE_THRESHOLD_MINUTES * 60_000,
    heartbeatIntervalMs: values.MAKIMA_HEARTBEAT_INTERVAL_SECONDS * 1_000,
    heartbeatTimeoutMs: values.MAKIMA_HEARTBEAT_TIMEOUT_SECONDS * 1_000,
    inputTimeoutMs: timeOrNever(values.MAKIMA_INPUT_TIMEOUT_HOURS, 3_600_000),
    archiveAfterMs: timeOrNever(values.MAKIMA_ARCHIVE_AFTER_DAYS, 86_400_000),
    archiveRetentionMs: timeOrNever(values.MAKIMA_ARCHIVE_RETENTION_DAYS, 86_400_000),
    incidentRetentionMs: timeOrNever(values.MAKIMA_INCIDENT_RETENTION_DAYS, 86_400_000),
    completionGraceMs: values.MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES * 60_000,
    autoAdvancePhases: values.MAKIMA_AUTO_ADVANCE_PHASES,
    autoCompleteEnabled: values.MAKIMA_AUTO_COMPLETE_ENABLED,
    leaseMs: values.MAKIMA_LEASE_SECONDS * 1_000,
    maxRetries: values.MAKIMA_MAX_RETRIES,
    parkAfterMs: timeOrNever(values.MAKIMA_PARK_AFTER_SECONDS, 1_000),
    webhookAllowedHosts: values.MAKIMA_WEBHOOK_ALLOWED_HOSTS,
    prices: values.MAKIMA_PRICES,
    monitorBufferSize: values.MAKIMA_MONITOR_WS_BUFFER_SIZE,
    staleDetectionMs: values.MAKIMA_STALE_DETECTION_INTERVAL_SECONDS * 1_000,
    features: {
      enhancedContractStatus: values.MAKIMA_ENHANCED_CONTRACT_STATUS,
      autoComplete: values.MAKIMA_AUTO_COMPLETE,
      supervisorHeartbeat: values.MAKIMA_SUPERVISOR_HEARTBEAT,
      monitoringDashboard: values.MAKIMA_MONITORING_DASHBOARD,
    },
  };
}

/** What holds where nothing is set. */
export const defaultSettings: Settings = settingsOf(z.object(settingFields).parse({}));

/** All limits, the overridden ones included. */
export function limitsOf(values: Pick<SettingValues, 'MAKIMA_LIMITS'>): Limits {
  return { ...limits, ...values.MAKIMA_LIMITS };
}

function parsePrices(text: string, context: z.RefinementCtx): ReadonlyMap<string, Price> {
  const prices = new Map<string, Price>();
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const at = pair.lastIndexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim();
    const parts = pair.slice(at + 1).split('/');
    const [input, output, cacheRead = input, cacheWrite = input] = parts.map(readUsd);
    const isWhole = parts.length >= 2 && parts.length <= 4 && parts.map(readUsd).every(isNumber);
    if (name !== '' && isWhole && isNumber(input) && isNumber(output))
      prices.set(name, {
        input,
        output,
        cacheRead: cacheRead ?? input,
        cacheWrite: cacheWrite ?? input,
      });
    else
      context.addIssue({
        code: 'custom',
        message: `"${pair}" is no price: model=input/output in dollars for a million tokens`,
      });
  }
  return prices;
}

const isNumber = (value: number | undefined): value is number => value !== undefined;

function parseLimits(text: string, context: z.RefinementCtx): Partial<Limits> {
  const result: Record<string, number> = {};
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const [name = '', value = ''] = pair.split('=', 2).map((part) => part.trim());
    if (Object.hasOwn(limits, name) && /^\d{1,12}$/.test(value)) result[name] = Number(value);
    else
      context.addIssue({
        code: 'custom',
        message: `there is no limit "${name}", or its value is no whole number`,
      });
  }
  return result as Partial<Limits>;
}
