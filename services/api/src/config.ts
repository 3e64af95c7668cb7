/**
 * The API's settings: one zod object, read once in `main.ts`.
 *
 * Law: every variable has a meaning; what all services share comes from the engine.
 */
import { z } from 'zod';
import { settingFields } from '@makima/engine/settings';
import { logLevels } from '@makima/runtime/log';
import { secret, setting } from '@makima/runtime/config';

export const apiConfig = z.object({
  DATABASE_URL: secret(setting.url(['postgres', 'postgresql']), 'Postgres, with user and password'),
  REDIS_URL: secret(setting.url(['redis', 'rediss']), 'Redis, with its password'),
  PORT: setting.port().default(7400).describe('TCP port to listen on; 0 lets the system choose'),
  HOST: setting.text().default('127.0.0.1').describe('address to listen on; loopback by default'),
  LOG_LEVEL: setting
    .choice(logLevels)
    .default('info')
    .describe('least severe level that is logged'),
  MAKIMA_RACE: setting
    .text()
    .optional()
    .describe('racepoints of chaos tests; never set it in production'),
  MAKIMA_ALLOWED_HOSTS: setting
    .list()
    .default([])
    .describe('further host names, with or without a port, that a request may be addressed to'),
  MAKIMA_OWNER_KEY_FILE: setting
    .text()
    .optional()
    .describe('file for the owner key of the first start (mode 0600); printed once when absent'),
  MAKIMA_TYPES_DIR: setting
    .text()
    .optional()
    .describe('folder of contract types as JSON files, read at the start and every 30 s'),
  ...settingFields,
});

export type ApiConfig = z.infer<typeof apiConfig>;
