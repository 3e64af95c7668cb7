/**
 * The scheduler's settings: one zod object, read once in `main.ts`.
 *
 * Law: every variable has a meaning; what all services share comes from the engine.
 */
import { z } from 'zod';
import { settingFields } from '@makima/engine/settings';
import { secret, setting } from '@makima/runtime/config';
import { logLevels } from '@makima/runtime/log';

export const schedulerConfig = z.object({
  DATABASE_URL: secret(setting.url(['postgres', 'postgresql']), 'Postgres, with user and password'),
  REDIS_URL: secret(setting.url(['redis', 'rediss']), 'Redis, with its password'),
  PORT: setting
    .port()
    .default(7402)
    .describe('TCP port of health and metrics; 0 lets the system choose'),
  HOST: setting.text().default('127.0.0.1').describe('address to listen on; loopback by default'),
  LOG_LEVEL: setting
    .choice(logLevels)
    .default('info')
    .describe('least severe level that is logged'),
  MAKIMA_RACE: setting
    .text()
    .optional()
    .describe('racepoints of chaos tests; never set it in production'),
  MAKIMA_AUDIT_INTERVAL_SECONDS: setting
    .int({ min: 0, max: 86_400 })
    .default(60)
    .describe('how often the stored rows are asked whether they add up; 0: never'),
  ...settingFields,
});

export type SchedulerConfig = z.infer<typeof schedulerConfig>;
